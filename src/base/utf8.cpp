// See base/utf8.h.
#include "base/utf8.h"

namespace ink {
namespace {

// Bytes a sequence with this first byte has, or 0 when no sequence starts with it.
int sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// Is `second` allowed after `lead`? Excludes overlong forms, surrogates and code points above U+10FFFF.
bool valid_second_byte(unsigned char lead, unsigned char second) {
  if (lead == 0xe0) return second >= 0xa0 && second <= 0xbf;
  if (lead == 0xed) return second >= 0x80 && second <= 0x9f;
  if (lead == 0xf0) return second >= 0x90 && second <= 0xbf;
  if (lead == 0xf4) return second >= 0x80 && second <= 0x8f;
  return second >= 0x80 && second <= 0xbf;
}

// How many bytes at `position` are a valid beginning of the sequence that starts there (0 to its length).
int valid_bytes(std::string_view text, size_t position, int length) {
  const auto lead = static_cast<unsigned char>(text[position]);
  int count = 1;
  while (count < length && position + static_cast<size_t>(count) < text.size()) {
    const auto byte = static_cast<unsigned char>(text[position + static_cast<size_t>(count)]);
    const bool valid = count == 1 ? valid_second_byte(lead, byte) : (byte & 0xc0) == 0x80;
    if (!valid) break;
    ++count;
  }
  return count;
}

}  // namespace

Utf8Char decode_utf8(std::string_view text, size_t position) {
  if (position >= text.size()) return {};
  const auto lead = static_cast<unsigned char>(text[position]);
  const int length = sequence_length(lead);
  if (length == 0 || valid_bytes(text, position, length) != length) return {};
  if (length == 1) return {lead, 1};
  char32_t code_point = lead & (0x7fu >> length);
  for (int i = 1; i < length; ++i) {
    code_point =
        (code_point << 6) | (static_cast<unsigned char>(text[position + static_cast<size_t>(i)]) & 0x3fu);
  }
  return {code_point, length};
}

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  for (size_t position = 0; position < text.size();) {
    const Utf8Char character = decode_utf8(text, position);
    if (character.size_bytes == 0) return position;
    position += static_cast<size_t>(character.size_bytes);
  }
  return std::nullopt;
}

size_t whole_characters(std::string_view text) {
  // Only the last three bytes can belong to an unfinished sequence.
  const size_t first = text.size() > 3 ? text.size() - 3 : 0;
  for (size_t position = text.size(); position-- > first;) {
    const auto lead = static_cast<unsigned char>(text[position]);
    if ((lead & 0xc0) == 0x80) continue;
    const int length = sequence_length(lead);
    const auto available = static_cast<int>(text.size() - position);
    const bool unfinished = length > available && valid_bytes(text, position, length) == available;
    return unfinished ? position : text.size();
  }
  return text.size();
}

std::string_view first_characters(std::string_view text, size_t most_bytes) {
  text = text.substr(0, most_bytes);
  return text.substr(0, whole_characters(text));
}

size_t count_characters(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string ascii_lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

void append_utf8(std::string& text, char32_t c) {
  const auto byte = [&](char32_t value) {
    text.push_back(static_cast<char>(static_cast<unsigned char>(value)));
  };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xc0 | (c >> 6)), byte(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    byte(0xe0 | (c >> 12)), byte(0x80 | ((c >> 6) & 0x3f)), byte(0x80 | (c & 0x3f));
  } else {
    byte(0xf0 | (c >> 18)), byte(0x80 | ((c >> 12) & 0x3f)), byte(0x80 | ((c >> 6) & 0x3f)),
        byte(0x80 | (c & 0x3f));
  }
}

}  // namespace ink
