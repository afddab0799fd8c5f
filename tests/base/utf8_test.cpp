// UTF-8: every code point, every sequence of up to three bytes, and the ends of streams.
#include "base/utf8.h"

#include <gtest/gtest.h>

namespace ink {
namespace {

std::string encoded(char32_t c) {
  std::string text;
  append_utf8(text, c);
  return text;
}

TEST(Utf8, EveryCodePointComesBack) {
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    const std::string text = encoded(c);
    const Utf8Char character = decode_utf8(text, 0);
    if (c >= 0xd800 && c <= 0xdfff) {
      ASSERT_EQ(character.size_bytes, 0) << "surrogate " << static_cast<uint32_t>(c);
      continue;
    }
    ASSERT_EQ(character.code_point, c);
    ASSERT_EQ(character.size_bytes, static_cast<int>(text.size()));
    ASSERT_EQ(find_invalid_utf8(text), std::nullopt);
  }
}

// Whatever decodes must be exactly what encoding gives: so there are no overlong forms and no surrogates.
TEST(Utf8, OnlyTheShortestFormIsValid) {
  std::string text(3, '\0');
  int valid = 0;
  for (int length = 1; length <= 3; ++length) {
    for (uint32_t bytes = 0; bytes < (1u << (8 * length)); ++bytes) {
      text.resize(static_cast<size_t>(length));
      for (int i = 0; i < length; ++i) text[static_cast<size_t>(i)] = static_cast<char>(bytes >> (8 * i));
      const Utf8Char character = decode_utf8(text, 0);
      if (character.size_bytes != length) continue;
      ++valid;
      ASSERT_EQ(encoded(character.code_point), text);
    }
  }
  EXPECT_EQ(valid, 0x10000 - 0x800);
  for (const char* four : {"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80"}) {
    EXPECT_EQ(find_invalid_utf8(four), 0u);
  }
}

TEST(Utf8, NamesTheFirstInvalidByte) {
  EXPECT_EQ(find_invalid_utf8(""), std::nullopt);
  EXPECT_EQ(find_invalid_utf8("灯\xff"), 3u);
  EXPECT_EQ(find_invalid_utf8("a\xe7\x81"), 1u);
  EXPECT_EQ(find_invalid_utf8(std::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(decode_utf8("a", 1).size_bytes, 0);
  EXPECT_EQ(decode_utf8("a", 7).size_bytes, 0);
}

TEST(Utf8, WholeCharactersHoldBackAnUnfinishedTail) {
  const std::string text = "aé灯😀b\U0010ffff";
  for (size_t length = 0; length <= text.size(); ++length) {
    size_t boundary = 0;
    for (size_t next = 0; next <= length;) {
      boundary = next;
      const int size = decode_utf8(text, next).size_bytes;
      if (size == 0) break;
      next += static_cast<size_t>(size);
    }
    EXPECT_EQ(whole_characters(std::string_view(text).substr(0, length)), boundary) << length;
  }
}

TEST(Utf8, WholeCharactersLetsInvalidBytesThrough) {
  for (const char* text : {"a\xff", "a\x80", "\x80\x80\x80\x80", "a\xe0\x80", "\xed\xa0", "\xf4\x90", "\xc0",
                           "灯\x81", "\xf0\x9f\x98\x80\x80"}) {
    EXPECT_EQ(whole_characters(text), std::string_view(text).size()) << text;
  }
  EXPECT_EQ(whole_characters("\xff\xf0\x9f\x98"), 1u);
}

TEST(Utf8, FirstCharactersAreNeverCutInTwo) {
  EXPECT_EQ(first_characters("a灯b", 1), "a");
  EXPECT_EQ(first_characters("a灯b", 3), "a");
  EXPECT_EQ(first_characters("a灯b", 4), "a灯");
  EXPECT_EQ(first_characters("a灯b", 9), "a灯b");
  EXPECT_EQ(first_characters("", 4), "");
}

TEST(Utf8, TrimsSpaceAtTheEndsOnly) {
  EXPECT_EQ(trimmed(" \t灯 on\r\n"), "灯 on");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Utf8, CountsCharactersAndNotBytes) {
  EXPECT_EQ(count_characters(""), 0u);
  EXPECT_EQ(count_characters("a灯é\xf0\x9f\x98\x80"), 4u);
}

}  // namespace
}  // namespace ink
