// See text/unicode.h. Why not utf8proc's own normaliser: it sorts combining marks by insertion, which is
// quadratic in the length of a run of marks and so in a hostile prompt; here runs are sorted with
// std::stable_sort, and only the pieces of text that may need it are looked at. utf8proc supplies categories,
// decompositions and the composition step.
#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <vector>

namespace ink {
namespace {

struct Range {
  char32_t first, last;
  CharClass char_class;
};

// Assigned after Unicode 15, which Debian 12's utf8proc knows, up to 16, which the reference's patterns know.
constexpr Range kNewCharacters[] = {
    {0x897, 0x897, CharClass::kMark},       {0x1c89, 0x1c8a, CharClass::kLetter},
    {0xa7cb, 0xa7cd, CharClass::kLetter},   {0xa7da, 0xa7dc, CharClass::kLetter},
    {0x105c0, 0x105f3, CharClass::kLetter}, {0x10d40, 0x10d49, CharClass::kNumber},
    {0x10d4a, 0x10d65, CharClass::kLetter}, {0x10d69, 0x10d6d, CharClass::kMark},
    {0x10d6f, 0x10d85, CharClass::kLetter}, {0x10ec2, 0x10ec4, CharClass::kLetter},
    {0x10efc, 0x10efc, CharClass::kMark},   {0x11380, 0x11389, CharClass::kLetter},
    {0x1138b, 0x1138b, CharClass::kLetter}, {0x1138e, 0x1138e, CharClass::kLetter},
    {0x11390, 0x113b5, CharClass::kLetter}, {0x113b7, 0x113b7, CharClass::kLetter},
    {0x113b8, 0x113c0, CharClass::kMark},   {0x113c2, 0x113c2, CharClass::kMark},
    {0x113c5, 0x113c5, CharClass::kMark},   {0x113c7, 0x113ca, CharClass::kMark},
    {0x113cc, 0x113d0, CharClass::kMark},   {0x113d1, 0x113d1, CharClass::kLetter},
    {0x113d2, 0x113d2, CharClass::kMark},   {0x113d3, 0x113d3, CharClass::kLetter},
    {0x113e1, 0x113e2, CharClass::kMark},   {0x116d0, 0x116e3, CharClass::kNumber},
    {0x11bc0, 0x11be0, CharClass::kLetter}, {0x11bf0, 0x11bf9, CharClass::kNumber},
    {0x11f5a, 0x11f5a, CharClass::kMark},   {0x13460, 0x143fa, CharClass::kLetter},
    {0x16100, 0x1611d, CharClass::kLetter}, {0x1611e, 0x1612f, CharClass::kMark},
    {0x16130, 0x16139, CharClass::kNumber}, {0x16d40, 0x16d6c, CharClass::kLetter},
    {0x16d70, 0x16d79, CharClass::kNumber}, {0x18cff, 0x18cff, CharClass::kLetter},
    {0x1ccf0, 0x1ccf9, CharClass::kNumber}, {0x1e5d0, 0x1e5ed, CharClass::kLetter},
    {0x1e5ee, 0x1e5ef, CharClass::kMark},   {0x1e5f0, 0x1e5f0, CharClass::kLetter},
    {0x1e5f1, 0x1e5fa, CharClass::kNumber}, {0x2ebf0, 0x2ee5d, CharClass::kLetter},
};

// Marks and compositions newer than Unicode 9, where the reference's normaliser stops: it neither moves nor
// joins them. (Those of kNewCharacters are left alone, too.)
constexpr Range kNotNormalised[] = {
    {0x7fd, 0x7fd, {}},     {0x898, 0x89f, {}},     {0x8ca, 0x8d3, {}},     {0x9fe, 0x9fe, {}},
    {0xc3c, 0xc3c, {}},     {0xd3b, 0xd3c, {}},     {0xeba, 0xeba, {}},     {0x1715, 0x1715, {}},
    {0x1abf, 0x1ace, {}},   {0x1df6, 0x1dfa, {}},   {0xa82c, 0xa82c, {}},   {0x10d24, 0x10d27, {}},
    {0x10eab, 0x10eac, {}}, {0x10efd, 0x10eff, {}}, {0x10f46, 0x10f50, {}}, {0x10f82, 0x10f85, {}},
    {0x11070, 0x11070, {}}, {0x1133b, 0x1133b, {}}, {0x1145e, 0x1145e, {}}, {0x11839, 0x1183a, {}},
    {0x11930, 0x11930, {}}, {0x11935, 0x11935, {}}, {0x11938, 0x11938, {}}, {0x1193d, 0x1193e, {}},
    {0x11943, 0x11943, {}}, {0x119e0, 0x119e0, {}}, {0x11a34, 0x11a34, {}}, {0x11a47, 0x11a47, {}},
    {0x11a99, 0x11a99, {}}, {0x11d42, 0x11d42, {}}, {0x11d44, 0x11d45, {}}, {0x11d97, 0x11d97, {}},
    {0x11f41, 0x11f42, {}}, {0x16ff0, 0x16ff1, {}}, {0x1e08f, 0x1e08f, {}}, {0x1e130, 0x1e136, {}},
    {0x1e2ae, 0x1e2ae, {}}, {0x1e2ec, 0x1e2ef, {}}, {0x1e4ec, 0x1e4ef, {}},
};

// The range of a sorted list that holds c, or null.
template <size_t count>
const Range* find_range(const Range (&ranges)[count], char32_t c) {
  const Range* range = std::lower_bound(std::begin(ranges), std::end(ranges), c,
                                        [](const Range& r, char32_t value) { return r.last < value; });
  return range != std::end(ranges) && range->first <= c ? range : nullptr;
}

bool left_alone(char32_t c) { return find_range(kNotNormalised, c) || find_range(kNewCharacters, c); }

bool is_white_space(char32_t c) {
  return (c >= 0x9 && c <= 0xd) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

CharClass compute_class(char32_t c) {
  if (c == '\r' || c == '\n') return CharClass::kNewline;
  if (is_white_space(c)) return CharClass::kSpace;
  if (const Range* range = find_range(kNewCharacters, c)) return range->char_class;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) return CharClass::kLetter;
  if (category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME) return CharClass::kMark;
  if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) return CharClass::kNumber;
  return CharClass::kOther;
}

int combining_class(char32_t c) {
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
}

// The full canonical decomposition of one character, appended to `out`.
void decompose(char32_t c, std::vector<utf8proc_int32_t>& out) {
  utf8proc_int32_t parts[8];  // the longest canonical decomposition has four characters
  int boundary_class = 0;
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, std::size(parts),
                                             UTF8PROC_DECOMPOSE, &boundary_class);
  if (count < 1 || count > static_cast<utf8proc_ssize_t>(std::size(parts))) {
    out.push_back(static_cast<utf8proc_int32_t>(c));  // not a character utf8proc knows
  } else {
    out.insert(out.end(), parts, parts + count);
  }
}

// Collects neighbouring characters that may influence each other and writes them in NFC.
class Composer {
 public:
  void add(char32_t c) { decompose(c, characters_); }

  void flush(std::string& out) {
    sort_marks();
    const auto count =
        utf8proc_normalize_utf32(characters_.data(), static_cast<utf8proc_ssize_t>(characters_.size()),
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    for (utf8proc_ssize_t i = 0; i < count; ++i)
      append_utf8(out, static_cast<char32_t>(characters_[static_cast<size_t>(i)]));
    characters_.clear();
  }

 private:
  // Canonical order: each run of marks sorted by combining class, equal classes as they stand.
  void sort_marks() {
    const auto class_of = [](utf8proc_int32_t c) { return combining_class(static_cast<char32_t>(c)); };
    for (auto run = characters_.begin(); run != characters_.end();) {
      if (class_of(*run) == 0) {
        ++run;
        continue;
      }
      const auto end = std::find_if(run, characters_.end(), [&](auto c) { return class_of(c) == 0; });
      std::stable_sort(run, end, [&](auto a, auto b) { return class_of(a) < class_of(b); });
      run = end;
    }
  }

  std::vector<utf8proc_int32_t> characters_;
};

// The position of the first character at or after `position` that may join what is before it, or the end.
// `before` becomes the position of the character directly before that one, or the same position if there is
// none or if invalid bytes stand there.
size_t find_joining(const UnicodeTable& table, std::string_view text, size_t position, size_t& before) {
  before = position;
  while (position < text.size()) {
    uint64_t eight = 0;
    if (position + sizeof eight <= text.size()) {
      std::memcpy(&eight, text.data() + position, sizeof eight);
      if ((eight & 0x8080808080808080u) == 0) {
        position += sizeof eight;
        before = position - 1;
        continue;
      }
    }
    const Utf8Char c = next_char(text, position);
    if (c.size_bytes == 0) {
      before = ++position;
    } else if (!table.may_join(c.code_point)) {
      before = position;
      position += static_cast<size_t>(c.size_bytes);
    } else {
      return position;
    }
  }
  return position;
}

// Normalises from `position` up to the next character that joins nothing, or invalid bytes; returns that
// place. The first character is taken in any case.
size_t normalise_group(const UnicodeTable& table, std::string_view text, size_t position, std::string& out) {
  Composer composer;
  for (bool first = true; position < text.size(); first = false) {
    const Utf8Char c = next_char(text, position);
    if (c.size_bytes == 0 || (!first && !table.may_join(c.code_point))) break;
    const auto size = static_cast<size_t>(c.size_bytes);
    if (left_alone(c.code_point)) {
      composer.flush(out);
      out.append(text.substr(position, size));
    } else {
      composer.add(c.code_point);
    }
    position += size;
  }
  composer.flush(out);
  return position;
}

}  // namespace

UnicodeTable::UnicodeTable() {
  std::vector<utf8proc_int32_t> parts;
  for (char32_t c = 0; c < bmp_.size(); ++c) {
    bmp_[c] |= static_cast<uint8_t>(compute_class(c));
    const bool hangul_syllable = c >= 0xac00 && c < 0xd7a4;
    const bool hangul_tail = (c >= 0x1161 && c <= 0x1175) || (c >= 0x11a8 && c <= 0x11c2);
    if (combining_class(c) != 0 || hangul_tail || left_alone(c)) bmp_[c] |= kMayJoin;
    const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
    if (hangul_syllable || property->decomp_seqindex == UINT16_MAX) continue;
    parts.clear();
    decompose(c, parts);
    if (parts.size() == 1 && static_cast<char32_t>(parts[0]) == c) continue;
    for (size_t i = 1; i < parts.size(); ++i) {
      if (parts[i] < 0x10000) bmp_[static_cast<size_t>(parts[i])] |= kMayJoin;
    }
    const auto count =
        utf8proc_normalize_utf32(parts.data(), static_cast<utf8proc_ssize_t>(parts.size()),
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    if (count != 1 || static_cast<char32_t>(parts[0]) != c) bmp_[c] |= kMayJoin;
  }
}

const UnicodeTable& UnicodeTable::get() {
  static const UnicodeTable table;
  return table;
}

CharClass UnicodeTable::rare_class(char32_t c) { return compute_class(c); }

std::string_view to_nfc(std::string_view text, std::string& storage) {
  const UnicodeTable& table = UnicodeTable::get();
  size_t before = 0;
  size_t joining = find_joining(table, text, 0, before);
  if (joining == text.size()) return text;
  storage.clear();
  storage.reserve(text.size());
  size_t copied = 0;
  while (joining < text.size()) {
    storage.append(text.substr(copied, before - copied));
    copied = normalise_group(table, text, before, storage);
    joining = find_joining(table, text, copied, before);
  }
  storage.append(text.substr(copied));
  return storage;
}

}  // namespace ink
