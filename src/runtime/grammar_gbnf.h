// Grammars in llama.cpp's notation (GBNF): rules NAME ::= …, of which the text is "root"; literals "…",
// classes […] and [^…], any character ., groups, alternatives |, repetition * + ? {m} {m,} {m,n}, comments
// from # on; the escapes \n \r \t \\ \" \[ \] \- \^ \xHH \uHHHH \UHHHHHHHH. A rule goes on in the next line
// inside of brackets and behind | and ::=.
//
// Refused: left recursion (write the list the other way round: item list), rules without a definition or with
// two, tokens (<…>). Control characters other than \n, \r and \t cannot be written.
#pragma once

#include <string_view>

#include "base/result.h"
#include "runtime/grammar.h"

namespace ink {

// A text of the grammar, then next. Errors: kInvalid with line and column, kUnsupported, kTooLarge.
Result<uint32_t> add_gbnf(GrammarBuilder& builder, std::string_view text, uint32_t next);

}  // namespace ink
