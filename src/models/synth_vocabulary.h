// Vocabularies for synthetic models: one of our own, which holds every byte, Qwen's control tokens under
// their real ids and filler between, or the one of a real tokenizer.json. What a synthetic model says means
// nothing; that any text can be tokenized and the chat format works is the point.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/gguf_vocabulary.h"

namespace ink {

struct SynthVocabulary : GgufVocabulary {
  std::string tokenizer_json;  // the same for a safetensors folder
};

// size: at least 512. With Qwen's own size the control tokens have Qwen's ids, else they are the last ones.
SynthVocabulary make_synth_vocabulary(int64_t size);

// From the text of a tokenizer.json that Tokenizer::from_json accepts. Errors: kInvalid, kTooLarge when it
// has more tokens than `size`.
Result<SynthVocabulary> copy_vocabulary(const std::string& tokenizer_json, int64_t size,
                                        const std::string& where);

}  // namespace ink
