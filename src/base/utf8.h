// UTF-8: validation and decoding, strict (no overlong forms, no surrogates, at most U+10FFFF).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ink {

// One decoded character; size_bytes is 0 where text is not valid UTF-8 at that place.
struct Utf8Char {
  char32_t code_point = 0;
  int size_bytes = 0;
};

Utf8Char decode_utf8(std::string_view text, size_t position);

// The byte position of the first invalid sequence, or nothing when all is valid.
std::optional<size_t> find_invalid_utf8(std::string_view text);

// The length of the longest prefix that ends with a whole character. An incomplete but so far valid tail is
// left out; invalid bytes are counted as whole (they can never become valid).
size_t whole_characters(std::string_view text);

// The whole characters among the first bytes of a text.
std::string_view first_characters(std::string_view text, size_t most_bytes);

size_t count_characters(std::string_view text);

// Without spaces, tabs and line breaks at its ends.
std::string_view trimmed(std::string_view text);

// A to Z in lower case; everything else stays as it is.
std::string ascii_lower(std::string text);

void append_utf8(std::string& text, char32_t code_point);

}  // namespace ink
