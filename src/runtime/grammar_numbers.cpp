// See grammar_numbers.h.
#include "runtime/grammar_numbers.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <vector>

#include "runtime/grammar_values.h"

namespace ink {
namespace {

constexpr size_t kMostDigits = 15;  // a double holds them all
constexpr int64_t kLargestUsual = 999'999'999'999'999;
constexpr uint64_t kMostListed = 1024;  // multiples that are written down one by one
constexpr uint64_t kLargestMultiple = 64;

int compare_magnitudes(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() < b.whole.size() ? -1 : 1;
  const int whole = a.whole.compare(b.whole);
  return whole != 0 ? whole : a.fraction.compare(b.fraction);
}

// Magnitudes between two limits, from the first digit to the last. While what has been written equals the
// beginning of a limit, the next digit has to respect it ("tight").
class MagnitudeBuilder {
 public:
  struct Bound {
    Decimal value;
    bool excluded = false;
  };
  MagnitudeBuilder(GrammarBuilder& builder, std::optional<Bound> low, std::optional<Bound> high)
      : builder_(builder), low_(std::move(low)), high_(std::move(high)), done_(builder.done()) {}

  uint32_t build() {
    size_t shortest = 1, longest = kMostDigits;
    if (low_) shortest = std::max<size_t>(low_->value.whole.size(), 1);
    if (high_) longest = std::max<size_t>(high_->value.whole.size(), 1);
    uint32_t entry = builder_.nothing();
    for (size_ = shortest; size_ <= longest; ++size_) {
      low_whole_ = low_ ? padded(low_->value.whole) : "";
      high_whole_ = high_ ? padded(high_->value.whole) : "";
      whole_.clear(), fraction_.clear();
      entry = builder_.either(
          entry, whole(0, low_ && low_whole_.size() == size_, high_ && high_whole_.size() == size_));
    }
    return entry;
  }

 private:
  static std::string padded(const std::string& whole) { return whole.empty() ? "0" : whole; }
  using Key = std::tuple<size_t, bool, bool>;

  uint32_t whole(size_t at, bool low, bool high) {
    if (at == size_) return tail(low, high);
    const auto [known, is_new] = whole_.try_emplace(Key{at, low, high}, 0);
    if (!is_new) return known->second;
    uint32_t entry = builder_.nothing();
    const int smallest = at == 0 && size_ > 1 ? 1 : 0;
    const int from = low ? std::max(low_whole_[at] - '0', smallest) : smallest;
    const int to = high ? high_whole_[at] - '0' : 9;
    for (int digit = from; digit <= to;) {  // digits in the middle are alike
      const bool at_low = low && digit == low_whole_[at] - '0', at_high = high && digit == to;
      const int last = at_low || at_high ? digit : high ? to - 1 : 9;
      entry = builder_.either(entry, builder_.bytes(digits(digit, last), whole(at + 1, at_low, at_high)));
      digit = last + 1;
    }
    return whole_[Key{at, low, high}] = entry;
  }

  uint32_t tail(bool low, bool high) {
    const bool above = !low || (low_->value.fraction.empty() && !low_->excluded);
    const bool below = !high || !high_->value.fraction.empty() || !high_->excluded;
    uint32_t point = size_ < kMostDigits ? fraction(0, low, high) : builder_.nothing();
    if (above && below) point = builder_.either(point, builder_.text("0", done_));
    const uint32_t with_point = builder_.text(".", point);
    return above && below ? builder_.either(done_, with_point) : with_point;
  }

  // Digits behind the point; the last one is not zero.
  uint32_t fraction(size_t at, bool low, bool high) {
    if (at >= kMostDigits - size_) return builder_.nothing();
    const auto [known, is_new] = fraction_.try_emplace(Key{at, low, high}, 0);
    if (!is_new) return known->second;
    const auto digit_of = [at](const Bound& bound) {
      return at < bound.value.fraction.size() ? bound.value.fraction[at] - '0' : 0;
    };
    uint32_t entry = builder_.nothing();
    const int from = low ? digit_of(*low_) : 0, to = high ? digit_of(*high_) : 9;
    for (int digit = from; digit <= to;) {
      const bool at_low = low && digit == from, at_high = high && digit == to;
      const int last = at_low || at_high || digit == 0 ? digit : high ? to - 1 : 9;
      uint32_t next = fraction(at + 1, at_low, at_high);
      const bool above = !at_low || (at + 1 >= low_->value.fraction.size() && !low_->excluded);
      const bool below = !at_high || at + 1 < high_->value.fraction.size() || !high_->excluded;
      if (digit != 0 && above && below) next = builder_.either(next, done_);
      entry = builder_.either(entry, builder_.bytes(digits(digit, last), next));
      digit = last + 1;
    }
    return fraction_[Key{at, low, high}] = entry;
  }

  static ByteSet digits(int first, int last) {
    return byte_range(static_cast<unsigned char>('0' + first), static_cast<unsigned char>('0' + last));
  }

  GrammarBuilder& builder_;
  std::optional<Bound> low_, high_;
  uint32_t done_;
  size_t size_ = 0;  // digits before the point
  std::string low_whole_, high_whole_;
  std::map<Key, uint32_t> whole_, fraction_;
};

// Integers of one sign that are multiples, in any number of digits up to the usual 15.
class MultipleBuilder {
 public:
  MultipleBuilder(GrammarBuilder& builder, uint64_t multiple) : builder_(builder), multiple_(multiple) {}

  // Magnitudes from least (0 or 1) to the largest.
  uint32_t build(bool with_zero, uint32_t next) {
    next_ = next;
    uint32_t entry = with_zero ? builder_.text("0", next) : builder_.nothing();
    for (size_t size = 1; size <= kMostDigits; ++size) entry = builder_.either(entry, digits(size, 0, true));
    return entry;
  }

 private:
  uint32_t digits(size_t left, uint64_t rest, bool first) {
    if (left == 0) return rest == 0 ? next_ : builder_.nothing();
    const auto [known, is_new] = known_.try_emplace({left, rest, first}, 0);
    if (!is_new) return known->second;
    std::map<uint64_t, ByteSet> by_rest;
    for (unsigned digit = first ? 1 : 0; digit < 10; ++digit)
      by_rest[(rest * 10 + digit) % multiple_].set('0' + digit);
    uint32_t entry = builder_.nothing();
    for (const auto& [after, set] : by_rest) {
      if (left == 1 && after != 0) continue;
      entry = builder_.either(entry, builder_.bytes(set, digits(left - 1, after, false)));
    }
    return known_[{left, rest, first}] = entry;
  }
  GrammarBuilder& builder_;
  uint64_t multiple_;
  uint32_t next_ = 0;
  std::map<std::tuple<size_t, uint64_t, bool>, uint32_t> known_;
};

// The limit as an integer, rounded to the inside; beyond 64 bits: the nearest there is, and `beyond` is set.
int64_t to_integer(const NumberLimits::Limit& limit, bool is_least, bool& beyond) {
  const Decimal& value = limit.value;
  const bool negative = value.negative;
  beyond =
      value.whole.size() > 19 ||
      (value.whole.size() == 19 && value.whole > (negative ? "9223372036854775808" : "9223372036854775807"));
  if (beyond) return negative ? INT64_MIN : INT64_MAX;
  uint64_t magnitude = 0;
  for (const char c : value.whole) magnitude = magnitude * 10 + static_cast<uint64_t>(c - '0');
  const bool fraction = !value.fraction.empty();
  const auto whole = static_cast<int64_t>(negative ? ~magnitude + 1 : magnitude);
  int64_t step = 0;  // outwards from zero or back towards it, to the inside of the range
  if (fraction) step = is_least ? (negative ? 0 : 1) : (negative ? -1 : 0);
  if (!fraction && limit.excluded) step = is_least ? 1 : -1;
  if ((step > 0 && whole == INT64_MAX) || (step < 0 && whole == INT64_MIN)) {
    beyond = true;
    return whole;
  }
  return whole + step;
}

Error limit_too_large(const std::string& where) {
  return {ErrorKind::kTooLarge, where, "a limit within 64 bits", "one beyond them", ""};
}

struct IntegerRange {
  int64_t from = 0, to = 0;
  bool limited = false;  // by the schema on both sides
};

Result<IntegerRange> integer_range(const NumberLimits& limits) {
  std::optional<int64_t> least, most;
  bool beyond = false;
  if (limits.least) {
    least = to_integer(*limits.least, true, beyond);
    if (beyond && *least > 0) return limit_too_large(limits.least->where);
    if (beyond) least.reset();
  }
  if (limits.most) {
    most = to_integer(*limits.most, false, beyond);
    if (beyond && *most < 0) return limit_too_large(limits.most->where);
    if (beyond) most.reset();
  }
  // A limit that is itself beyond the usual 15 digits opens its side up to 64 bits.
  const int64_t highest = least && *least > kLargestUsual ? INT64_MAX : kLargestUsual;
  const int64_t lowest = most && *most < -kLargestUsual ? INT64_MIN : -kLargestUsual;
  return IntegerRange{least.value_or(lowest), most.value_or(highest), least && most};
}

Result<uint32_t> make_multiples(GrammarBuilder& builder, const NumberLimits& limits,
                                const IntegerRange& range) {
  const auto multiple = static_cast<int64_t>(limits.multiple);
  const uint64_t width = static_cast<uint64_t>(range.to) - static_cast<uint64_t>(range.from);
  if (width / limits.multiple < kMostListed) {
    std::vector<std::string> all;
    const int64_t rest = range.from % multiple;
    // The first one; a step down from a negative number or up to the next.
    int64_t value = rest == 0        ? range.from
                    : range.from > 0 ? range.from - rest
                                     : range.from - rest - multiple;
    if (range.from > INT64_MAX - multiple || range.from < INT64_MIN + multiple)
      return limit_too_large(limits.multiple_where);
    if (value < range.from) value += multiple;
    for (; value <= range.to; value += multiple) {
      all.push_back(std::to_string(value));
      if (value > INT64_MAX - multiple) break;
    }
    return builder.one_of(std::move(all), builder.done());
  }
  const bool open_above = range.to == kLargestUsual, open_below = range.from == -kLargestUsual;
  const bool plain = open_above && (open_below || range.from == 0 || range.from == 1);
  if (limits.multiple > kLargestMultiple || !plain) {
    return Error{ErrorKind::kUnsupported, limits.multiple_where,
                 "at most " + std::to_string(kMostListed) + " multiples, or a multiple of at most " +
                     std::to_string(kLargestMultiple) + " with no other limit than a minimum of 0",
                 std::to_string(limits.multiple), ""};
  }
  const uint32_t done = builder.done();
  MultipleBuilder digits(builder, limits.multiple);
  const uint32_t positive = digits.build(range.from <= 0, done);
  if (!open_below) return positive;
  return builder.either(positive, builder.text("-", digits.build(false, done)));
}

}  // namespace

Decimal Decimal::of(const Json& number) {
  std::string text = number.dump();
  Decimal value;
  value.negative = text.starts_with('-');
  if (value.negative) text.erase(0, 1);
  long exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != std::string::npos) {
    exponent = std::stol(text.substr(e + 1));  // of a double's own spelling: at most three digits
    text.erase(e);
  }
  const size_t point = std::min(text.find('.'), text.size());
  std::string digits = text.substr(0, point);
  if (point < text.size()) digits += text.substr(point + 1);
  long places = static_cast<long>(point) + exponent;  // digits before the point
  if (places < 0) digits.insert(0, static_cast<size_t>(-places), '0'), places = 0;
  if (static_cast<size_t>(places) > digits.size()) digits.resize(static_cast<size_t>(places), '0');
  value.whole = digits.substr(0, static_cast<size_t>(places));
  value.fraction = digits.substr(static_cast<size_t>(places));
  value.whole.erase(0, std::min(value.whole.find_first_not_of('0'), value.whole.size()));
  value.fraction.erase(value.fraction.find_last_not_of('0') + 1);
  if (value.is_zero()) value.negative = false;
  return value;
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  return a.negative ? compare_magnitudes(b, a) : compare_magnitudes(a, b);
}

bool NumberLimits::allows(const Json& number) const {
  const Decimal value = Decimal::of(number);
  const int low = least ? compare(value, least->value) : 1, high = most ? compare(value, most->value) : -1;
  if (low < 0 || (low == 0 && least->excluded) || high > 0 || (high == 0 && most->excluded)) return false;
  if (multiple == 0) return true;
  uint64_t rest = 0;
  for (const char c : value.whole) rest = (rest * 10 + static_cast<uint64_t>(c - '0')) % multiple;
  return value.is_integer() && rest == 0;
}

Result<uint32_t> make_integer_within(GrammarBuilder& builder, const NumberLimits& limits) {
  const auto range = integer_range(limits);
  if (!range.ok()) return range.error();
  if (range->from > range->to) return builder.nothing();
  if (limits.multiple > 1) return make_multiples(builder, limits, *range);
  return make_integer(builder, range->from, range->to);
}

Result<uint32_t> make_number_within(GrammarBuilder& builder, const NumberLimits& limits) {
  if (!limits.least && !limits.most && limits.multiple == 0) return make_number(builder);
  if (limits.multiple > 0) return make_integer_within(builder, limits);
  using Bound = MagnitudeBuilder::Bound;
  const auto bound = [](const NumberLimits::Limit& limit) {
    Bound made{limit.value, limit.excluded};
    made.value.negative = false;
    return made;
  };
  for (const auto* limit : {limits.least ? &*limits.least : nullptr, limits.most ? &*limits.most : nullptr}) {
    const bool excludes =
        limit != nullptr && (limit == (limits.least ? &*limits.least : nullptr)) != limit->value.negative;
    if (excludes && limit->value.whole.size() > kMostDigits)
      return Error{ErrorKind::kTooLarge, limit->where, "a limit of at most 15 digits", "a larger one", ""};
  }
  const auto within_digits = [](std::optional<Bound> limit) {
    return limit && limit->value.whole.size() > kMostDigits ? std::nullopt : limit;
  };
  uint32_t entry = builder.nothing();
  const auto add = [&](std::optional<Bound> low, std::optional<Bound> high, bool negative) {
    high = within_digits(std::move(high));
    if (low && high && compare(low->value, high->value) > 0) return;
    const uint32_t rule = MagnitudeBuilder(builder, std::move(low), std::move(high)).build();
    entry = builder.either(entry, negative ? builder.text("-", rule) : rule);
  };
  const auto least = limits.least ? std::optional(bound(*limits.least)) : std::nullopt;
  const auto most = limits.most ? std::optional(bound(*limits.most)) : std::nullopt;
  const bool least_negative = limits.least && limits.least->value.negative;
  const bool most_negative = limits.most && limits.most->value.negative;
  if (!most_negative) add(least_negative || !least ? std::nullopt : least, most, false);
  const std::optional<Bound> below_zero = Bound{Decimal(), true};
  if (!least || least_negative) add(most_negative ? most : below_zero, least, true);
  return entry;
}

}  // namespace ink
