// A vocabulary as a GGUF file lists it, and how it is made from a tokenizer.json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ink {

// tokenizer.ggml.token_type
inline constexpr int32_t kNormalToken = 1;
inline constexpr int32_t kControlToken = 3;
inline constexpr int32_t kUserDefinedToken = 4;  // added, but kept in text
inline constexpr int32_t kUnusedToken = 5;

struct GgufVocabulary {
  std::vector<std::string> tokens;  // by id, in byte-level letters; as many as the model has rows
  std::vector<std::string> merges;  // "left right"
  std::vector<int32_t> types;       // for each token

  int32_t find(std::string_view token) const;  // -1: not there
};

// From the text of a tokenizer.json that Tokenizer::from_json accepts, for a model with `size` rows. Errors:
// kInvalid, kTooLarge when it has ids of `size` and more.
Result<GgufVocabulary> read_vocabulary(const std::string& tokenizer_json, int64_t size,
                                       const std::string& where);

}  // namespace ink
