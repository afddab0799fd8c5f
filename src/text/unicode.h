// What the tokenizer must know about Unicode: the class of each character for the word patterns, and NFC.
// Both follow the reference tokenizer exactly: classes of Unicode 16, normalisation of Unicode 9, whatever
// version the installed utf8proc has (see unicode.cpp), so that ids do not depend on the machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace ink {

// \p{L}, \p{M}, \p{N}, \s without line ends, [\r\n], and everything else.
enum class CharClass : uint8_t { kOther, kLetter, kMark, kNumber, kSpace, kNewline };

class UnicodeTable {
 public:
  // The one table; built at the first call (about 2 ms), then read-only.
  static const UnicodeTable& get();

  CharClass char_class(char32_t c) const {
    return c < 0x10000 ? static_cast<CharClass>(bmp_[c] & kClassBits) : rare_class(c);
  }
  // False: c is a starter that neither changes nor joins what stands before it, so text may be cut before c
  // and both sides normalised alone. True: perhaps not.
  bool may_join(char32_t c) const {
    if (c < 0x10000) return (bmp_[c] & kMayJoin) != 0;
    return c < 0x1f000 || (c >= 0x2f800 && c < 0x2fa20);  // emoji and extension ideographs never do
  }

 private:
  static constexpr uint8_t kClassBits = 7;
  static constexpr uint8_t kMayJoin = 8;

  UnicodeTable();
  static CharClass rare_class(char32_t c);
  std::array<uint8_t, 0x10000> bmp_{};
};

// decode_utf8 with the two commonest cases inline.
inline Utf8Char next_char(std::string_view text, size_t position) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[position + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead > 0xe0 && lead < 0xed && position + 2 < text.size() && (byte(1) & 0xc0) == 0x80 &&
      (byte(2) & 0xc0) == 0x80) {
    return {(lead & 0x0fu) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu), 3};
  }
  return decode_utf8(text, position);
}

// The text in NFC. Returns `text` itself when nothing has to change, else a view of `storage`, which it
// fills. Bytes that are not valid UTF-8 stay as they are and join with nothing. Linear in the length but for
// the sorting of runs of combining marks.
std::string_view to_nfc(std::string_view text, std::string& storage);

}  // namespace ink
