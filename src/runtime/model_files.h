// The parts of a checkpoint beside its weights: tokenizer, chat format, sampling defaults, licence. What GGUF
// keeps in its metadata, a Hugging Face folder keeps in tokenizer.json, chat_template.jinja,
// generation_config.json, README.md.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/sampler.h"
#include "tensor/checkpoint.h"
#include "text/chat.h"
#include "text/tokenizer.h"

namespace ink {

// Sampling and stopping as the model's makers recommend.
struct GenerationDefaults {
  SamplingOptions sampling;
  std::vector<int32_t> stop_tokens;
};

// Errors: kNotFound when there is none, kUnsupported for another kind than Qwen's byte-level BPE.
Result<Tokenizer> read_tokenizer(const Checkpoint& checkpoint);

// The file's own chat template; empty when there is none.
std::string read_chat_template(const Checkpoint& checkpoint);

// Of the file's own template, which is only compared and never run; Qwen3's format where a file has none.
DetectedFormat read_chat_format(const Checkpoint& checkpoint);

// generation_config.json or general.sampling.*, else the model cards' values. The tokenizer may be null.
GenerationDefaults read_generation_defaults(const Checkpoint& checkpoint, const Tokenizer* tokenizer);

// "apache-2.0"; empty when the files do not say.
std::string read_license(const Checkpoint& checkpoint);

}  // namespace ink
