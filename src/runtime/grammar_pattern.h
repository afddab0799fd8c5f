// The "pattern" keyword: regular expressions of literal characters, classes of ASCII characters, groups,
// alternatives and * + ? {n} {n,} {n,m}, anchored at both ends (^…$). Refused: anything that is not anchored,
// the point, negated classes, lazy quantifiers, look-around, back references, \s, \b, \p and the like,
// because what they mean differs between dialects or would let control characters in.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/grammar.h"

namespace ink {

// The text between the quotes of a JSON string whose value matches, then `next`. Errors: kUnsupported,
// kInvalid and kTooLarge with the place in the pattern.
Result<uint32_t> add_pattern(GrammarBuilder& builder, std::string_view pattern, uint32_t next,
                             const std::string& where);

}  // namespace ink
