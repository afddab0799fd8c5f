// Sets of characters, and one character of a set as a piece of a grammar, in the spelling of the place where
// it stands. What may not be written there (control characters in a JSON string) is left out of every set:
// fewer texts than a set allows can then be written, never others.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "runtime/grammar.h"

namespace ink {

class CodeSet {
 public:
  struct Range {
    char32_t first, last;
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 is wrong about <=>
    auto operator<=>(const Range&) const = default;
  };
  CodeSet() = default;
  CodeSet(char32_t first, char32_t last) : ranges_{{first, last}} {}
  static CodeSet of(std::u32string_view characters);
  static CodeSet all() { return {0, 0x10ffff}; }

  bool empty() const { return ranges_.empty(); }
  bool contains(char32_t c) const;
  const std::vector<Range>& ranges() const { return ranges_; }
  CodeSet& operator|=(const CodeSet& other);
  CodeSet operator~() const;
  CodeSet operator&(const CodeSet& other) const { return ~((~*this) |= ~other); }

 private:
  std::vector<Range> ranges_;  // sorted, apart
};

enum class Spelling {
  kJson,  // inside of a JSON string: " \ \n \r \t are escaped, other control characters cannot be written
  kParameter,  // a raw text between tags: no '<', no control characters but \n and \t
  kText,       // as it is, no control characters but \n, \r and \t
};
const CodeSet& writable(Spelling spelling);

// Makes the rule of a set once, however often the set is used.
class CharacterRules {
 public:
  explicit CharacterRules(GrammarBuilder& builder) : builder_(builder) {}
  GrammarBuilder& builder() const { return builder_; }
  // One character of the set, then next.
  uint32_t add(const CodeSet& set, Spelling spelling, uint32_t next);
  // A rule for one character of the set.
  uint32_t rule(const CodeSet& set, Spelling spelling);

 private:
  uint32_t make_rule(const CodeSet& set, Spelling spelling);
  uint32_t add_inline(const CodeSet& set, Spelling spelling, uint32_t next);
  GrammarBuilder& builder_;
  std::map<std::pair<Spelling, std::vector<CodeSet::Range>>, uint32_t> rules_;
};

}  // namespace ink
