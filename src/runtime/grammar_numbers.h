// Numbers within limits, digit by digit. Integers are exact to 64 bits. A decimal number with a limit has at
// most 15 digits, so that no two of them are one double and an excluded limit cannot be met by rounding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "runtime/grammar.h"

namespace ink {

// A number of a schema as digits: without leading zeros before the point (zero: none at all) and without
// zeros at the end behind it.
struct Decimal {
  bool negative = false;
  std::string whole, fraction;
  static Decimal of(const Json& number);
  bool is_integer() const { return fraction.empty(); }
  bool is_zero() const { return whole.empty() && fraction.empty(); }
};
int compare(const Decimal& a, const Decimal& b);  // negative, 0, positive

struct NumberLimits {
  struct Limit {
    Decimal value;
    bool excluded = false;
    std::string where;  // of the keyword
  };
  std::optional<Limit> least, most;
  uint64_t multiple = 0;  // an integer; 0: none
  std::string multiple_where;
  bool any() const { return least || most || multiple > 0; }
  bool allows(const Json& number) const;
};

// Rules. Errors: kTooLarge for limits beyond the digits there are, kUnsupported for a multiple that would
// need too many nodes; without any number left, a rule that cannot be walked.
Result<uint32_t> make_integer_within(GrammarBuilder& builder, const NumberLimits& limits);
Result<uint32_t> make_number_within(GrammarBuilder& builder, const NumberLimits& limits);

}  // namespace ink
