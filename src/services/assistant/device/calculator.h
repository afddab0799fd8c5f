// Arithmetic without rounding: fractions of whole numbers of any size (GMP), so 0.1+0.2 is 0.3 and (1/3)*3
// is 1. Only sqrt of what is no square is rounded, to 40 digits, and what comes of it says so. Own small
// parser: digits,
// + - * / ^ % ( ) sqrt. A % behind a number is percent (200*15% is 30), between two it is the remainder (10%3
// is 1). Refused: more than 1,000 characters, brackets deeper than 100, results of more than 12,000 digits.
#pragma once

#include <string>
#include <string_view>

namespace ink::assistant {

struct Calculation {
  std::string
      problem;  // empty: it worked; else "divide_by_zero", "root_of_negative", "too_large", "no_expression"
  std::string result;  // a decimal number: all of its digits when they are at most 40
  bool exact = true;   // false: `result` was rounded
};
Calculation calculate(std::string_view expression);

// The decimal form of a product a·b/c, for units of measure; rounded to 10 digits.
std::string scaled(std::string_view value, std::string_view numerator, std::string_view denominator,
                   std::string_view offset_before, std::string_view offset_after);

}  // namespace ink::assistant
