// The tokens of a vocabulary as texts: most are a few ordinary characters and nothing else. Where a grammar
// takes ordinary characters one like the other (inside of a string, in free text), all such tokens are
// allowed or refused together, and only the few with a byte that matters there have to be looked at one by
// one (runtime/constraint_fill.h).
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/token_mask.h"
#include "text/tokenizer.h"

namespace ink {

class TextTokens {
 public:
  // Longer texts are among others(). Qwen3 has 292 such tokens, nearly all of spaces or signs.
  static constexpr size_t kMostCharacters = 32;

  TextTokens(const Tokenizer& tokenizer, const std::vector<int32_t>& tokens);

  // Tokens of at most so many whole characters, of ASCII alone or of any.
  const TokenMask& plain(size_t characters, bool ascii) const {
    return (ascii ? ascii_ : plain_)[characters];
  }
  // Tokens in which this byte of ASCII occurs.
  const std::vector<int32_t>& with(uint8_t byte) const { return with_[byte]; }
  const TokenMask& mask_with(uint8_t byte) const { return masks_with_[byte]; }
  // Tokens that are in no plain(): with a part of a character, longer ones, and those with U+0080 to U+009F,
  // U+2028 or U+2029, which some texts exclude.
  const std::vector<int32_t>& others() const { return others_; }

 private:
  std::vector<TokenMask> plain_, ascii_;  // by the number of characters
  std::vector<std::vector<int32_t>> with_;
  std::vector<TokenMask> masks_with_;  // empty where no token has the byte
  std::vector<int32_t> others_;
};

}  // namespace ink
