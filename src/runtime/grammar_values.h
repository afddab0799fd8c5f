// The parts of a grammar that are neither schema nor format: characters, strings, numbers. Everything is
// written as Python's json.dumps(ensure_ascii=False) writes it, so each value has one spelling.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/grammar.h"

namespace ink {

// One character of two to four bytes: strict UTF-8 (no overlong forms, no surrogates), no control characters.
uint32_t add_multibyte_character(GrammarBuilder& builder, uint32_t next);

// Free text of any length in which none of `excluded` (ASCII, not empty) occurs: UTF-8 without control
// characters but \n and \t.
uint32_t add_text_without(GrammarBuilder& builder, const std::vector<std::string_view>& excluded,
                          uint32_t next);

// Rules (they end with done()): one character inside of a JSON string, escapes included (\n, \t, \r but no
// other control character) …
uint32_t make_string_character(GrammarBuilder& builder);
// … an integer from least to most (least <= most) without leading zeros …
uint32_t make_integer(GrammarBuilder& builder, int64_t least, int64_t most);
// … and a decimal number of at most 15 digits before the point and 15 after, without exponent.
uint32_t make_number(GrammarBuilder& builder);

}  // namespace ink
