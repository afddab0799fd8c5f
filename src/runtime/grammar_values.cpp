// See grammar_values.h.
#include "runtime/grammar_values.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace ink {
namespace {

const ByteSet kDigits = byte_range('0', '9');
const ByteSet kDigitsAboveZero = byte_range('1', '9');
const ByteSet kContinuation = byte_range(0x80, 0xbf);
constexpr int kMaxDigits = 15;  // a double holds them all

uint32_t add_digit_between(GrammarBuilder& builder, int first, int last, uint32_t next, uint32_t otherwise) {
  if (first > last) return otherwise;
  const auto byte = [](int digit) { return static_cast<unsigned char>('0' + digit); };
  return builder.either(builder.bytes(byte_range(byte(first), byte(last)), next), otherwise);
}

// Numbers of as many digits as both limits have. From the last digit to the first, four nodes: what may
// follow digits that equal the beginning of both limits, of the lower one, of the upper one, or of none.
uint32_t add_digits(GrammarBuilder& builder, const std::string& least, const std::string& most,
                    uint32_t next) {
  uint32_t both = next, low = next, high = next, free = next;
  for (size_t i = least.size(); i > 0; --i) {
    const int a = least[i - 1] - '0';
    const int b = most[i - 1] - '0';
    const uint32_t at_low = builder.bytes(bytes_of(least.substr(i - 1, 1)), low);
    const uint32_t at_high = builder.bytes(bytes_of(most.substr(i - 1, 1)), high);
    both = a == b ? builder.bytes(bytes_of(least.substr(i - 1, 1)), both)
                  : add_digit_between(builder, a + 1, b - 1, free, builder.either(at_low, at_high));
    low = add_digit_between(builder, a + 1, 9, free, at_low);
    high = add_digit_between(builder, 0, b - 1, free, at_high);
    free = builder.bytes(kDigits, free);
  }
  return both;
}

uint32_t add_magnitude(GrammarBuilder& builder, uint64_t least, uint64_t most, uint32_t next) {
  uint32_t entry = 0;
  bool first = true;
  const size_t longest = std::to_string(most).size();
  for (size_t digits = std::to_string(least).size(); digits <= longest; ++digits) {
    const std::string smallest = digits == 1 ? "0" : "1" + std::string(digits - 1, '0');
    const bool has_least = std::to_string(least).size() == digits;
    const std::string low = has_least ? std::to_string(least) : smallest;
    const std::string high = digits == longest ? std::to_string(most) : std::string(digits, '9');
    const uint32_t numbers = add_digits(builder, low, high, next);
    entry = first ? numbers : builder.either(entry, numbers);
    first = false;
  }
  return entry;
}

uint64_t magnitude(int64_t value) { return value < 0 ? ~static_cast<uint64_t>(value) + 1 : uint64_t(value); }

// At most `count` bytes of the set, then next.
uint32_t add_up_to(GrammarBuilder& builder, const ByteSet& set, int count, uint32_t next) {
  uint32_t entry = next;
  for (int i = 0; i < count; ++i) entry = builder.either(next, builder.bytes(set, entry));
  return entry;
}

}  // namespace

uint32_t add_multibyte_character(GrammarBuilder& builder, uint32_t next) {
  const uint32_t one = builder.bytes(kContinuation, next);
  const uint32_t two = builder.bytes(kContinuation, one);
  const uint32_t three = builder.bytes(kContinuation, two);
  const auto range = [&](unsigned char first, unsigned char last, uint32_t tail) {
    return builder.bytes(byte_range(first, last), tail);
  };
  const uint32_t leads[] = {
      range(0xc2, 0xc2, range(0xa0, 0xbf, next)),  // U+0080 to U+009F are control characters
      range(0xc3, 0xdf, one),
      range(0xe0, 0xe0, range(0xa0, 0xbf, one)),
      range(0xe1, 0xec, two),
      range(0xed, 0xed, range(0x80, 0x9f, one)),
      range(0xee, 0xef, two),
      range(0xf0, 0xf0, range(0x90, 0xbf, two)),
      range(0xf1, 0xf3, three),
      range(0xf4, 0xf4, range(0x80, 0x8f, two)),
  };
  uint32_t entry = leads[0];
  for (size_t i = 1; i < std::size(leads); ++i) entry = builder.either(entry, leads[i]);
  return entry;
}

// The machine of Aho and Corasick (1975): a state is the longest beginning of an excluded text that has just
// been written; one that would complete such a text does not exist.
uint32_t add_text_without(GrammarBuilder& builder, const std::vector<std::string_view>& excluded,
                          uint32_t next) {
  std::map<std::string, uint32_t> states = {{"", builder.open_split()}};
  for (const std::string_view text : excluded) {
    for (size_t size = 1; size < text.size(); ++size) {
      const auto [state, is_new] = states.try_emplace(std::string(text.substr(0, size)), 0);
      if (is_new) state->second = builder.open_split();
    }
  }
  const auto completes = [&](std::string_view written) {
    return std::any_of(excluded.begin(), excluded.end(),
                       [&](std::string_view text) { return written.ends_with(text); });
  };
  const ByteSet plain = byte_range(0x20, 0x7e) | bytes_of("\n\t");
  const uint32_t multibyte = add_multibyte_character(builder, states[""]);
  for (const auto& [written, node] : states) {
    std::map<uint32_t, ByteSet> by_target;
    for (size_t byte = 0; byte < 0x80; ++byte) {
      if (!plain[byte]) continue;
      const std::string after = written + static_cast<char>(byte);
      if (completes(after)) continue;
      size_t skipped = 0;
      while (states.count(after.substr(skipped)) == 0) ++skipped;
      by_target[states[after.substr(skipped)]].set(byte);
    }
    uint32_t on = multibyte;
    for (const auto& [target, set] : by_target) on = builder.either(on, builder.bytes(set, target));
    builder.connect(node, next, on);
  }
  return states[""];
}

uint32_t make_string_character(GrammarBuilder& builder) {
  const uint32_t done = builder.done();
  const uint32_t plain = builder.bytes(byte_range(0x20, 0x7e) & ~bytes_of("\"\\"), done);
  const uint32_t escaped = builder.bytes(bytes_of("\\"), builder.bytes(bytes_of("\"\\nrt"), done));
  return builder.either(plain, builder.either(escaped, add_multibyte_character(builder, done)));
}

uint32_t make_integer(GrammarBuilder& builder, int64_t least, int64_t most) {
  const uint32_t done = builder.done();
  uint32_t negative = 0;
  if (least < 0) {
    const uint64_t smallest = most < 0 ? magnitude(most) : 1;
    negative = builder.text("-", add_magnitude(builder, smallest, magnitude(least), done));
    if (most < 0) return negative;
  }
  const uint32_t positive =
      add_magnitude(builder, magnitude(std::max<int64_t>(least, 0)), magnitude(most), done);
  return least < 0 ? builder.either(positive, negative) : positive;
}

// [-] integer [. fraction], where a fraction is 0 or does not end with 0, and zero has no sign.
uint32_t make_number(GrammarBuilder& builder) {
  const uint32_t done = builder.done();
  const uint32_t fraction =
      add_up_to(builder, kDigits, kMaxDigits - 1, builder.bytes(kDigitsAboveZero, done));
  const uint32_t point = builder.text(".", builder.either(fraction, builder.text("0", done)));
  const uint32_t tail = builder.either(done, point);
  const uint32_t above_zero =
      builder.bytes(kDigitsAboveZero, add_up_to(builder, kDigits, kMaxDigits - 1, tail));
  const uint32_t negative = builder.text("-", builder.either(above_zero, builder.text("0.", fraction)));
  return builder.either(builder.either(above_zero, builder.text("0", tail)), negative);
}

}  // namespace ink
