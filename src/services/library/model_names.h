// Which model a name means. Names come from the network, so they only ever choose among models that were
// found already: nothing here touches the file system, and what looks like a path is no name.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "services/library/model_finder.h"

namespace ink {

// Whether two names are the same but for upper and lower case.
bool same_model_name(const std::string& a, const std::string& b);

// The model of `models` that `name` means: the first of exactly this name (upper and lower case are one);
// else the only one that the name means when it is read as other programs write names:
//   Qwen3-0.6B            for Qwen/Qwen3-0.6B, and for a file Qwen3-0.6B-Q8_0 if it is the only quantization
//   qwen3:0.6b, :latest   Ollama's tags
//   Qwen/Qwen3-0.6B-GGUF:Q8_0, Qwen3-0.6B-Q8_0.gguf
// Errors: kNotFound, with the names there are, or those it could mean.
Result<FoundModel> match_model(std::span<const FoundModel> models, const std::string& name);

}  // namespace ink
