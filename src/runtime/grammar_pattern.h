// Patterns as pieces of a grammar. A pattern that is not anchored matches anywhere in the text, as JSON
// Schema says. Limits of the length are kept beside it by counting along: where the pattern alone does not
// keep them, it is built once for each count.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/grammar_pattern_read.h"

namespace ink {

struct Counts {
  uint32_t least = 0;
  uint32_t most = kNoLimit;
};

// A text in this spelling that matches and has so many characters, then `next`. Errors: those of
// read_pattern, and kTooLarge for repetitions in each other, or lengths, that would need too many nodes.
Result<uint32_t> add_pattern(CharacterRules& characters, std::string_view pattern, Spelling spelling,
                             Counts length, uint32_t next, const std::string& where);

}  // namespace ink
