// A vocabulary of the 256 bytes and whatever merges a test wants.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "text/tokenizer.h"

namespace ink::testing {

// The letters that stand for bytes in vocabulary files.
inline std::string letters_of(std::string_view bytes) {
  std::string letters;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    char32_t letter = byte;
    if (byte <= 0x20) letter = 0x100u + byte;
    if (byte >= 0x7f && byte <= 0xa0) letter = 0x121u + (byte - 0x7fu);
    if (byte == 0xad) letter = 0x143;
    append_utf8(letters, letter);
  }
  return letters;
}

// Ids 0 to 255 are the bytes; merge i makes id 256 + i unless its token exists already.
inline Vocabulary small_vocabulary(const std::vector<std::pair<std::string, std::string>>& merges) {
  Vocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte)
    vocabulary.tokens.push_back(letters_of(std::string(1, static_cast<char>(byte))));
  for (const auto& [left, right] : merges) {
    const std::string token = letters_of(left + right);
    vocabulary.merges.push_back(letters_of(left) + " " + letters_of(right));
    bool known = false;
    for (const std::string& other : vocabulary.tokens) known = known || other == token;
    if (!known) vocabulary.tokens.push_back(token);
  }
  return vocabulary;
}

}  // namespace ink::testing
