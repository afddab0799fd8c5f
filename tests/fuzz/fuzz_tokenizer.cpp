// Any tokenizer.json and any text. The first byte says which: an even one, a file and a text to encode with
// it (the next byte is the text's length); an odd one, a text for a small fixed vocabulary, in segments of
// alternating trust separated by U+001E.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "text/stream_decoder.h"
#include "text/tokenizer.h"
#include "text/unicode.h"
#include "text/vocabulary_table.h"

namespace {

using ink::Tokenizer;
using Ids = std::vector<int32_t>;

// The letters of byte-level vocabularies for some bytes: the reverse of what the library reads.
std::string letters_of(std::string_view bytes) {
  std::string letters;
  for (const char byte : bytes) {
    for (char32_t letter = 0x21; letter < 0x144; ++letter) {
      std::string text, back;
      ink::append_utf8(text, letter);
      if (ink::append_bytes_of_letters(text, back) && back[0] == byte) letters += text;
    }
  }
  return letters;
}

// Merges inside characters, across their boundaries, of blanks and of words; ranks that grow.
Tokenizer fixed_tokenizer() {
  const std::vector<std::pair<std::string, std::string>> merges = {
      {"\xe4", "\xbd"},     {" ", "\xe4"},        {"\xe4\xbd", "\xa0"},
      {"\xa0", "\xe4\xbd"}, {"\xe4\xbd", "\xbf"}, {"你", "你"},
      {"\xcc", "\x81"},     {"e", "\xcc"},        {"\xc3", "\xa9"},
      {"a", "a"},           {"aa", "aa"},         {" ", " "},
      {"  ", "  "},         {"t", "h"},           {"th", "e"},
      {" ", "the"},         {"\xf0\x9f", "\x98"}, {"\xf0", "\x9f"},
      {"\n", "\n"},         {"é", "\xcc"},        {"\xa0", "\xe4\xbd\xbf"},
      {"\xbf", "\xe4\xbd"}};
  ink::Vocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte)
    vocabulary.tokens.push_back(letters_of(std::string(1, static_cast<char>(byte))));
  for (const auto& [left, right] : merges) {
    const auto known = [&](const std::string& token) {
      return std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), token) != vocabulary.tokens.end();
    };
    if (!known(letters_of(left)) || !known(letters_of(right))) continue;
    vocabulary.merges.push_back(letters_of(left) + " " + letters_of(right));
    if (!known(letters_of(left + right))) vocabulary.tokens.push_back(letters_of(left + right));
  }
  const auto first_added = static_cast<int32_t>(vocabulary.tokens.size());
  vocabulary.added = {{first_added, "<a>", true}, {first_added + 1, "<a>\u0301", false}};
  auto tokenizer = Tokenizer::from_vocabulary(std::move(vocabulary), "fixed");
  INK_CHECK(tokenizer.ok(), "the fixed vocabulary is good");
  return *tokenizer;
}

void check_ids(const Tokenizer& tokenizer, const Ids& ids) {
  for (const int32_t id : ids)
    INK_CHECK(id >= 0 && id < tokenizer.vocabulary_size(), "an id of the vocabulary");
  ink::StreamDecoder decoder(tokenizer, false);
  for (const int32_t id : ids)
    INK_CHECK(!ink::find_invalid_utf8(decoder.push(id)), "streamed pieces are whole characters");
  decoder.finish();
}

void check_plain(const Tokenizer& tokenizer, std::string_view text) {
  const Ids ids = tokenizer.encode(text);
  check_ids(tokenizer, ids);
  std::string storage, again;
  const std::string_view normal = ink::to_nfc(text, storage);
  INK_CHECK(tokenizer.decode(ids, false) == normal, "decoding gives the normalised text");
  INK_CHECK(ink::to_nfc(normal, again) == normal, "normalising twice changes nothing");
}

void check_fixed(std::string_view text) {
  static const Tokenizer tokenizer = fixed_tokenizer();
  const int32_t first_added = *tokenizer.find_added("<a>");
  for (const int32_t id : tokenizer.encode(text)) INK_CHECK(id < first_added, "plain text, plain ids");
  check_plain(tokenizer, text);
  std::vector<ink::TextSegment> segments;
  for (bool trusted = true;; trusted = !trusted) {
    const size_t end = text.find('\x1e');
    segments.push_back({std::string(text.substr(0, end)), trusted});
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  check_ids(tokenizer, tokenizer.encode(segments));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.size() < 2) return 0;
  const bool file = (data[0] & 1) == 0;
  if (!file) {
    check_fixed(input.substr(1));
    return 0;
  }
  const std::string_view text = input.substr(2, data[1]);
  const auto tokenizer = Tokenizer::from_json(input.substr(2 + text.size()), "fuzz");
  if (tokenizer.ok()) check_plain(*tokenizer, text);
  return 0;
}
