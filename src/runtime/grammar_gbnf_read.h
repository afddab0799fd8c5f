// The reader of GBNF (runtime/grammar_gbnf.h): from the notation to a tree of rules.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/grammar_chars.h"

namespace ink {

struct GbnfItem;
using GbnfSequence = std::vector<GbnfItem>;
using GbnfAlternatives = std::vector<GbnfSequence>;

struct GbnfItem {
  enum class Kind { kSet, kAlternatives, kRule } kind = Kind::kSet;
  CodeSet set;  // one character of it
  GbnfAlternatives group;
  std::string rule;
  std::string where;  // the place in the text
  uint32_t least = 1;
  uint32_t most = 1;
};

using GbnfRules = std::map<std::string, GbnfAlternatives>;

// At least "root" is among the rules, and all that are mentioned.
Result<GbnfRules> read_gbnf(std::string_view text);

}  // namespace ink
