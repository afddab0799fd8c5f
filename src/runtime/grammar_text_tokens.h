// The tokens of a vocabulary as texts: most are a few ordinary characters and nothing else. Where a grammar
// takes ordinary characters one like the other (inside of a string, in free text), all such tokens are
// allowed or refused together, and only the few with a character that matters there have to be looked at one
// by one (runtime/constraint_fill.h): there is a tree of them for each kind of character.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/grammar.h"
#include "runtime/grammar_byte_tree.h"
#include "runtime/token_mask.h"
#include "text/tokenizer.h"

namespace ink {

class TextTokens {
 public:
  // Longer texts are kOdd. Qwen3 has 292 such tokens, nearly all of spaces or signs.
  static constexpr size_t kMostCharacters = 32;

  // A set of kinds of characters: a bit for each sign of ASCII that grammars often tell from others (the
  // quote, the hyphen), for rows of signs that they mostly do not (the digits), and for all above ASCII.
  using Kinds = uint32_t;
  // Tokens that allow() passes by: with a part of a character, longer ones, and those with U+0080 to U+009F,
  // U+2028 or U+2029, which some texts exclude.
  static constexpr Kinds kOdd = Kinds{1} << 31;
  static Kinds kinds_of(const ByteSet& ascii);  // those that these bytes are of
  static ByteSet ascii_of(Kinds kinds);         // all bytes of ASCII that are of them

  // Tokens that are sorted by their bytes.
  TextTokens(const Tokenizer& tokenizer, const std::vector<int32_t>& sorted);

  // Allows the tokens of at most so many whole characters (kMostCharacters: of any number), which are these
  // bytes of ASCII or, unless ascii_alone, any above.
  void allow(const ByteSet& ascii, bool ascii_alone, size_t characters, TokenMask& mask) const;

  // The tokens in which a kind occurs, which is the set's lowest. There is no such tree for the kinds that
  // too many tokens have (letters, the space): to walk it would be no quicker than to walk all tokens.
  const ByteTree& with(Kinds kinds) const { return *trees_[static_cast<size_t>(std::countr_zero(kinds))]; }
  Kinds frequent() const { return frequent_; }
  // The kinds that occur in a token, by its place in the order of bytes.
  Kinds kinds_at(size_t place) const { return kinds_[place]; }

 private:
  static constexpr size_t kKinds = 32;
  std::vector<TokenMask> plain_, ascii_;     // by the number of characters
  std::vector<TokenMask> with_, with_kind_;  // by the byte, by the kind that occurs; empty where none has it
  std::vector<std::unique_ptr<const ByteTree>> trees_;  // by the kind
  std::vector<Kinds> kinds_;
  Kinds frequent_ = 0;
};

}  // namespace ink
