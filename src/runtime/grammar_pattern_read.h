// Regular expressions of the "pattern" keyword, read into a tree. The dialect is the part of ECMA-262 that
// every validator understands in the same way: characters, . , classes (negated ones, too), \d \w \s \D \W
// \S, \t \n \r \f \v \0 \xHH \uHHHH \u{H…}, groups (also named ones), alternatives, * + ? {n} {n,} {n,m},
// greedy or lazy, and ^ and $ at the ends of the pattern or of its outermost alternatives.
//
// Refused, by name: look-around, back references, \b \B \p{…}, flags, anchors inside, classes of POSIX.
// Where validators differ on what a class holds (\w of a Chinese character), only what all of them take is
// in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/grammar_chars.h"

namespace ink {

struct PatternPart;
using PatternSequence = std::vector<PatternPart>;

// One character of a set, or a group, so many times.
struct PatternPart {
  bool is_group = false;
  CodeSet set;
  std::vector<PatternSequence> alternatives;
  uint32_t least = 1;
  uint32_t most = 1;
};

struct Pattern {
  struct Branch {
    bool from_start = false, to_end = false;  // anchored
    PatternSequence sequence;
  };
  std::vector<Branch> branches;
};

// Errors: kUnsupported, kInvalid and kTooLarge with the place in the pattern.
Result<Pattern> read_pattern(std::string_view pattern, const std::string& where);

}  // namespace ink
