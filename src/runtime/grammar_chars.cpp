// See grammar_chars.h.
#include "runtime/grammar_chars.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace ink {
namespace {

constexpr char32_t kLastCode = 0x10ffff;

CodeSet make_writable(Spelling spelling) {
  CodeSet out(0, 0x1f);
  out |= CodeSet(0x7f, 0x9f);
  out |= CodeSet(0xd800, 0xdfff);
  if (spelling == Spelling::kParameter) out |= CodeSet('<', '<');
  const std::u32string_view allowed = spelling == Spelling::kParameter ? U"\n\t" : U"\n\t\r";
  CodeSet in = ~out;
  return in |= CodeSet::of(allowed);
}

size_t encode(char32_t code, std::array<unsigned char, 4>& bytes) {
  const auto tail = [&](int shift) { return static_cast<unsigned char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    bytes = {static_cast<unsigned char>(code)};
    return 1;
  }
  if (code < 0x800) {
    bytes = {static_cast<unsigned char>(0xc0 | code >> 6), tail(0)};
    return 2;
  }
  if (code < 0x10000) {
    bytes = {static_cast<unsigned char>(0xe0 | code >> 12), tail(6), tail(0)};
    return 3;
  }
  bytes = {static_cast<unsigned char>(0xf0 | code >> 18), tail(12), tail(6), tail(0)};
  return 4;
}

using Bytes = std::span<const unsigned char>;

// All characters between two of equally many bytes.
uint32_t add_between(GrammarBuilder& builder, Bytes low, Bytes high, uint32_t next) {
  if (low.size() == 1) return builder.bytes(byte_range(low[0], high[0]), next);
  constexpr unsigned char kLowest[] = {0x80, 0x80, 0x80}, kHighest[] = {0xbf, 0xbf, 0xbf};
  const Bytes lowest(kLowest, low.size() - 1), highest(kHighest, low.size() - 1);
  if (low[0] == high[0])
    return builder.bytes(byte_range(low[0], low[0]),
                         add_between(builder, low.subspan(1), high.subspan(1), next));
  std::vector<uint32_t> parts;
  unsigned first = low[0], last = high[0];
  if (!std::equal(lowest.begin(), lowest.end(), low.begin() + 1)) {
    parts.push_back(
        builder.bytes(byte_range(low[0], low[0]), add_between(builder, low.subspan(1), highest, next)));
    ++first;
  }
  if (!std::equal(highest.begin(), highest.end(), high.begin() + 1)) {
    parts.push_back(
        builder.bytes(byte_range(high[0], high[0]), add_between(builder, lowest, high.subspan(1), next)));
    --last;
  }
  if (first <= last) {
    const auto leads = byte_range(static_cast<unsigned char>(first), static_cast<unsigned char>(last));
    parts.push_back(builder.bytes(leads, add_between(builder, lowest, highest, next)));
  }
  uint32_t entry = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) entry = builder.either(entry, parts[i]);
  return entry;
}

// One range above ASCII, cut where the number of bytes changes.
void add_range(GrammarBuilder& builder, CodeSet::Range range, uint32_t next, std::vector<uint32_t>& parts) {
  for (const char32_t end : {char32_t{0x7ff}, char32_t{0xffff}, kLastCode}) {
    if (range.first > end || range.first > range.last) continue;
    std::array<unsigned char, 4> low{}, high{};
    const size_t size = encode(range.first, low);
    encode(std::min(range.last, end), high);
    parts.push_back(add_between(builder, Bytes(low.data(), size), Bytes(high.data(), size), next));
    range.first = end + 1;
  }
}

}  // namespace

CodeSet CodeSet::of(std::u32string_view characters) {
  CodeSet set;
  for (const char32_t c : characters) set |= CodeSet(c, c);
  return set;
}

bool CodeSet::contains(char32_t c) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const Range& range) { return range.first <= c && c <= range.last; });
}

CodeSet& CodeSet::operator|=(const CodeSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  std::sort(ranges_.begin(), ranges_.end());
  std::vector<Range> joined;
  for (const Range& range : ranges_) {
    if (!joined.empty() && range.first <= joined.back().last + 1) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  ranges_ = std::move(joined);
  return *this;
}

CodeSet CodeSet::operator~() const {
  CodeSet rest;
  char32_t from = 0;
  for (const Range& range : ranges_) {
    if (range.first > from) rest.ranges_.push_back({from, range.first - 1});
    from = range.last + 1;
  }
  if (from <= kLastCode) rest.ranges_.push_back({from, kLastCode});
  return rest;
}

const CodeSet& writable(Spelling spelling) {
  static const CodeSet kSets[] = {make_writable(Spelling::kJson), make_writable(Spelling::kParameter),
                                  make_writable(Spelling::kText)};
  return kSets[static_cast<size_t>(spelling)];
}

uint32_t CharacterRules::add(const CodeSet& set, Spelling spelling, uint32_t next) {
  const CodeSet allowed = set & writable(spelling);
  if (allowed.empty()) return builder_.nothing();
  if (allowed.ranges().back().last < 0x80) return add_inline(allowed, spelling, next);
  return builder_.call(rule(set, spelling), next);
}

uint32_t CharacterRules::rule(const CodeSet& set, Spelling spelling) {
  const CodeSet allowed = set & writable(spelling);
  const auto [known, is_new] = rules_.try_emplace({spelling, allowed.ranges()}, 0);
  if (is_new) known->second = make_rule(allowed, spelling);
  return known->second;
}

uint32_t CharacterRules::make_rule(const CodeSet& set, Spelling spelling) {
  if (set.empty()) return builder_.nothing();
  const uint32_t rule = add_inline(set, spelling, builder_.done());
  ByteSet ascii;
  for (char32_t c = 0; c < 0x80; ++c) {
    const bool escaped = spelling == Spelling::kJson && (c < 0x20 || c == '"' || c == '\\');
    if (set.contains(c) && !escaped) ascii.set(c);
  }
  CodeSet others = CodeSet(0xa0, kLastCode) & ~CodeSet(0xd800, 0xdfff) & ~CodeSet(0x2028, 0x2029);
  const bool none = (set & CodeSet(0x80, kLastCode)).empty();
  if (none || (others & ~set).empty()) builder_.set_character_rule(rule, ascii, !none);
  return rule;
}

uint32_t CharacterRules::add_inline(const CodeSet& set, Spelling spelling, uint32_t next) {
  ByteSet plain, escaped;
  std::vector<uint32_t> parts;
  for (CodeSet::Range range : set.ranges()) {
    for (; range.first <= range.last && range.first < 0x80; ++range.first)
      plain.set(static_cast<size_t>(range.first));
    if (range.first <= range.last) add_range(builder_, range, next, parts);
  }
  if (spelling == Spelling::kJson) {
    constexpr std::pair<char, char> kEscapes[] = {
        {'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}};
    for (const auto& [c, letter] : kEscapes) {
      if (!plain[static_cast<unsigned char>(c)]) continue;
      plain.reset(static_cast<unsigned char>(c));
      escaped.set(static_cast<unsigned char>(letter));
    }
  }
  if (escaped.any()) parts.push_back(builder_.bytes(bytes_of("\\"), builder_.bytes(escaped, next)));
  if (plain.any()) parts.push_back(builder_.bytes(plain, next));
  uint32_t entry = parts.back();
  for (size_t i = parts.size() - 1; i > 0; --i) entry = builder_.either(entry, parts[i - 1]);
  return entry;
}

}  // namespace ink
