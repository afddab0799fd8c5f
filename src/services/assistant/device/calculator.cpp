// See services/assistant/device/calculator.h.
#include "services/assistant/device/calculator.h"

#include <gmpxx.h>

#include <cctype>
#include <optional>

namespace ink::assistant {
namespace {

constexpr size_t kMostCharacters = 1000;
constexpr int kMostBrackets = 100;
constexpr size_t kMostBits = 40'000;   // of a numerator or denominator: 12,000 digits
constexpr size_t kRootDigits = 40;     // of a root that is no fraction
constexpr size_t kShownDigits = 40;    // all are shown up to here
constexpr size_t kRoundedDigits = 12;  // of a number that has no end

struct Number {
  mpq_class value;
  bool exact = true;
};

bool is_large(const mpq_class& value) {
  return mpz_sizeinbase(value.get_num_mpz_t(), 2) > kMostBits ||
         mpz_sizeinbase(value.get_den_mpz_t(), 2) > kMostBits;
}

mpz_class power_of_ten(size_t exponent) {
  mpz_class result;
  mpz_ui_pow_ui(result.get_mpz_t(), 10, exponent);
  return result;
}

// Reads one expression; `problem` is set at the first fault, and everything after it does nothing.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Number read() {
    Number result = sum(0);
    if (at_ < text_.size()) fail("no_expression");
    return result;
  }
  std::string problem;

 private:
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char wanted) {
    if (next() != wanted) return false;
    ++at_;
    return true;
  }
  Number fail(const char* name) {
    if (problem.empty()) problem = name;
    at_ = text_.size();
    return {};
  }
  Number checked(const Number& number) { return is_large(number.value) ? fail("too_large") : number; }

  Number sum(int depth) {
    Number left = product(depth);
    for (;;) {
      const char sign = next();
      if (sign != '+' && sign != '-') return left;
      ++at_;
      const Number right = product(depth);
      if (sign == '+')
        left.value += right.value;
      else
        left.value -= right.value;
      left.exact = left.exact && right.exact;
      left = checked(left);
    }
  }

  Number product(int depth) {
    Number left = signed_power(depth);
    for (;;) {
      const char sign = next();
      if (sign != '*' && sign != '/' && sign != '%') return left;
      ++at_;
      const Number right = signed_power(depth);
      if (!problem.empty()) return {};
      if (sign != '*' && right.value == 0) return fail("divide_by_zero");
      left.exact = left.exact && right.exact;
      if (sign == '*')
        left.value *= right.value;
      else if (sign == '/')
        left.value /= right.value;
      else
        left.value = remainder(left.value, right.value);
      left = checked(left);
    }
  }

  // With the sign of the divisor, as people count clocks: -1 % 12 is 11.
  static mpq_class remainder(const mpq_class& value, const mpq_class& divisor) {
    const mpq_class quotient = value / divisor;
    mpz_class whole;
    mpz_fdiv_q(whole.get_mpz_t(), quotient.get_num_mpz_t(), quotient.get_den_mpz_t());
    return value - divisor * whole;
  }

  Number signed_power(int depth) {
    if (depth > kMostBrackets) return fail("too_large");
    if (take('-')) {
      Number number = signed_power(depth + 1);
      number.value = -number.value;
      return number;
    }
    if (take('+')) return signed_power(depth + 1);
    const Number base = with_percent(atom(depth));
    if (!take('^')) return base;
    return power(base, signed_power(depth + 1));  // from the right: 2^3^2 is 2^9
  }

  // A % that no number follows.
  Number with_percent(Number number) {
    while (next() == '%') {
      const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
      if (std::isdigit(static_cast<unsigned char>(after)) != 0 || after == '.' || after == '(' ||
          after == 's')
        break;
      ++at_;
      number.value /= 100;
    }
    return number;
  }

  Number power(const Number& base, const Number& exponent) {
    if (!problem.empty()) return {};
    if (exponent.value == mpq_class(1, 2)) return root(base);
    if (exponent.value.get_den() != 1 || !exponent.value.get_num().fits_slong_p()) return fail("too_large");
    const long count = exponent.value.get_num().get_si();
    const unsigned long times =
        count < 0 ? 0UL - static_cast<unsigned long>(count) : static_cast<unsigned long>(count);
    if (base.value == 0 && count < 0) return fail("divide_by_zero");
    const size_t bits = std::max(mpz_sizeinbase(base.value.get_num_mpz_t(), 2),
                                 mpz_sizeinbase(base.value.get_den_mpz_t(), 2));
    const bool trivial = bits <= 1;  // 0, 1 and -1 stay small whatever the exponent
    if (!trivial && times > kMostBits / bits) return fail("too_large");
    Number result{mpq_class(1), base.exact && exponent.exact};
    const unsigned long steps = trivial ? (times == 0 ? 0 : 2 - times % 2) : times;
    mpz_pow_ui(result.value.get_num_mpz_t(), base.value.get_num_mpz_t(), steps);
    mpz_pow_ui(result.value.get_den_mpz_t(), base.value.get_den_mpz_t(), steps);
    if (count < 0) result.value = 1 / result.value;
    return checked(result);
  }

  Number root(const Number& of) {
    if (!problem.empty()) return {};
    if (of.value < 0) return fail("root_of_negative");
    const mpz_class& top = of.value.get_num();
    const mpz_class& bottom = of.value.get_den();
    if (mpz_perfect_square_p(top.get_mpz_t()) != 0 && mpz_perfect_square_p(bottom.get_mpz_t()) != 0)
      return {mpq_class(sqrt(top), sqrt(bottom)), of.exact};
    // sqrt(a/b) = sqrt(a*b)/b, with digits behind the point.
    const mpz_class scale = power_of_ten(kRootDigits);
    mpq_class value(sqrt(mpz_class(top * bottom * scale * scale)), bottom * scale);
    value.canonicalize();
    return checked({value, false});
  }

  Number atom(int depth) {
    if (depth > kMostBrackets) return fail("too_large");
    constexpr std::string_view kRoot = "sqrt(";
    const bool is_root = text_.substr(at_).starts_with(kRoot);
    if (is_root || next() == '(') {
      at_ += is_root ? kRoot.size() : 1;
      const Number inside = sum(depth + 1);
      if (!take(')')) return fail("no_expression");
      return is_root ? root(inside) : inside;
    }
    return number();
  }

  Number number() {
    std::string digits;
    size_t behind_point = 0;
    bool point = false;
    for (; std::isdigit(static_cast<unsigned char>(next())) != 0 || (next() == '.' && !point); ++at_) {
      if (next() == '.') {
        point = true;
        continue;
      }
      digits += next();
      if (point) ++behind_point;
    }
    if (digits.empty()) return fail("no_expression");
    Number result{mpq_class(mpz_class(digits, 10), power_of_ten(behind_point)), true};
    result.value.canonicalize();
    return result;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// How many digits behind the point a fraction has; nothing when it has no end.
std::optional<size_t> decimal_places(mpz_class denominator) {
  mpz_class rest;
  const size_t twos = mpz_remove(rest.get_mpz_t(), denominator.get_mpz_t(), mpz_class(2).get_mpz_t());
  const size_t fives = mpz_remove(denominator.get_mpz_t(), rest.get_mpz_t(), mpz_class(5).get_mpz_t());
  if (denominator != 1) return std::nullopt;
  return std::max(twos, fives);
}

// Rounded half away from zero to so many places, without trailing zeros.
std::string with_places(const mpq_class& value, size_t places) {
  mpq_class shifted = abs(value) * power_of_ten(places);
  mpz_class whole = (shifted.get_num() * 2 + shifted.get_den()) / (shifted.get_den() * 2);
  std::string digits = whole.get_str();
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  std::string text = digits.substr(0, digits.size() - places);
  std::string behind = digits.substr(digits.size() - places);
  while (!behind.empty() && behind.back() == '0') behind.pop_back();
  if (!behind.empty()) text += "." + behind;
  return value < 0 && text != "0" ? "-" + text : text;
}

// 1.23e45: for numbers that nobody reads aloud.
std::string scientific(const mpq_class& value) {
  mpf_class number(value, 256);
  mp_exp_t exponent = 0;
  std::string digits = number.get_str(exponent, 10, kRoundedDigits);
  const bool negative = !digits.empty() && digits.front() == '-';
  if (negative) digits.erase(0, 1);
  if (digits.size() > 1) digits.insert(1, ".");
  return (negative ? "-" : "") + digits + "e" + std::to_string(exponent - 1);
}

size_t whole_digits(const mpq_class& value) {
  const mpz_class whole = abs(value.get_num()) / value.get_den();
  return whole.get_str().size();  // mpz_sizeinbase may count one too many
}

// Places behind the point that make up kRoundedDigits digits in all.
size_t places_for(const mpq_class& value) {
  if (abs(value) >= 1)
    return whole_digits(value) >= kRoundedDigits ? 0 : kRoundedDigits - whole_digits(value);
  const mpq_class inverse = value == 0 ? mpq_class(1) : mpq_class(1 / abs(value));
  return kRoundedDigits + whole_digits(inverse) - 1;
}

Calculation shown(const Number& number) {
  Calculation result;
  const auto places = decimal_places(number.value.get_den());
  result.exact = number.exact && places && whole_digits(number.value) + *places <= kShownDigits;
  if (result.exact) {
    result.result = with_places(number.value, *places);
  } else if (whole_digits(number.value) > kShownDigits || places_for(number.value) > kShownDigits) {
    result.result = scientific(number.value);
  } else {
    result.result = with_places(number.value, places_for(number.value));
  }
  return result;
}

mpq_class read_decimal(std::string_view text) {
  Reader reader(text);
  return reader.read().value;
}

}  // namespace

Calculation calculate(std::string_view expression) {
  if (expression.size() > kMostCharacters) return {"too_large", "", true};
  Reader reader(expression);
  const Number number = reader.read();
  if (!reader.problem.empty()) return {reader.problem, "", true};
  return shown(number);
}

std::string scaled(std::string_view value, std::string_view numerator, std::string_view denominator,
                   std::string_view offset_before, std::string_view offset_after) {
  const mpq_class result = (read_decimal(value) + read_decimal(offset_before)) * read_decimal(numerator) /
                               read_decimal(denominator) +
                           read_decimal(offset_after);
  return shown({result, true}).result;
}

}  // namespace ink::assistant
