// Words of the two patterns. The expected splits are those of the reference's regular expressions.
#include "text/pre_tokenizer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace ink {
namespace {

using Words = std::vector<std::string>;

Words split(PreTokenizer pre, std::string_view text) {
  Words words;
  for (size_t start = 0; start < text.size();) {
    const size_t end = word_end(pre, UnicodeTable::get(), text, start);
    EXPECT_GT(end, start);
    EXPECT_LE(end, text.size());
    words.emplace_back(text.substr(start, end - start));
    start = end;
  }
  return words;
}

Words qwen2(std::string_view text) { return split(PreTokenizer::kQwen2, text); }
Words qwen35(std::string_view text) { return split(PreTokenizer::kQwen35, text); }

TEST(PreTokenizer, Contractions) {
  EXPECT_EQ(qwen2("it's IT'S we'Ll I'VE"), (Words{"it", "'s", " IT", "'S", " we", "'Ll", " I", "'VE"}));
  EXPECT_EQ(qwen2("'st 'tis 're"), (Words{"'s", "t", " '", "tis", " '", "re"}));
  EXPECT_EQ(qwen2("x'st"), (Words{"x", "'s", "t"}));
  EXPECT_EQ(qwen2("'r 'l"), (Words{"'r", " '", "l"}));
  EXPECT_EQ(qwen2("a'ſb"), (Words{"a", "'ſ", "b"}));  // U+017F folds to s
  EXPECT_EQ(qwen2("a’s"), (Words{"a", "’s"}));        // not an apostrophe: a leading symbol
  EXPECT_EQ(qwen2("'"), (Words{"'"}));
}

TEST(PreTokenizer, LettersDigitsSymbols) {
  EXPECT_EQ(qwen2("abc123"), (Words{"abc", "1", "2", "3"}));
  EXPECT_EQ(qwen2("a.b $x 字字"), (Words{"a", ".b", " $", "x", " 字字"}));
  EXPECT_EQ(qwen2(" !!\n\nx"), (Words{" !!\n\n", "x"}));
  EXPECT_EQ(qwen2("!\r\n "), (Words{"!\r\n", " "}));
  EXPECT_EQ(qwen2("½Ⅷ①"), (Words{"½", "Ⅷ", "①"}));
}

TEST(PreTokenizer, Blank) {
  EXPECT_EQ(qwen2("a   b"), (Words{"a", "  ", " b"}));
  EXPECT_EQ(qwen2("a   "), (Words{"a", "   "}));
  EXPECT_EQ(qwen2("a   1"), (Words{"a", "  ", " ", "1"}));
  EXPECT_EQ(qwen2(" \n \n  x"), (Words{" \n \n", " ", " x"}));
  EXPECT_EQ(qwen2("\t\tx"), (Words{"\t", "\tx"}));
  EXPECT_EQ(qwen2("\u3000\u3000字"), (Words{"\u3000", "\u3000字"}));
  EXPECT_EQ(qwen2("\u3000 !"), (Words{"\u3000", " !"}));
  EXPECT_EQ(qwen2("\n x"), (Words{"\n", " x"}));
  EXPECT_EQ(qwen2("\nx"), (Words{"\n", "x"}));
}

TEST(PreTokenizer, MarksBelongToLettersOnlyInQwen35) {
  const std::string_view marked = "q\u0323 a\u0301\u0301b";
  EXPECT_EQ(qwen2(marked), (Words{"q", "\u0323", " a", "\u0301\u0301", "b"}));
  EXPECT_EQ(qwen35(marked), (Words{"q\u0323", " a\u0301\u0301b"}));
  EXPECT_EQ(qwen2(" \u0301"), (Words{" \u0301"}));
  EXPECT_EQ(qwen35("\u0301"), (Words{"\u0301"}));
  EXPECT_EQ(qwen35("!\u0301!"), (Words{"!\u0301", "!"}));
  EXPECT_EQ(qwen2("!\u0301!"), (Words{"!\u0301!"}));
}

TEST(PreTokenizer, InvalidBytesAreSymbols) {
  EXPECT_EQ(qwen2("a\xff\xfe z"), (Words{"a", "\xff\xfe", " z"}));
  EXPECT_EQ(qwen2("\xe4\xbd"), (Words{"\xe4\xbd"}));
  EXPECT_EQ(qwen2("\xffz"), (Words{"\xffz"}));
}

TEST(PreTokenizer, NewLettersOfUnicode16) {
  EXPECT_EQ(qwen2("\U000105c0\U0002ebf0a"), (Words{"\U000105c0\U0002ebf0a"}));
  EXPECT_EQ(qwen2("\U00011bf0\U00011bf1"), (Words{"\U00011bf0", "\U00011bf1"}));
}

TEST(PreTokenizer, WordsCoverAnyBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (size_t i = random() % 12; i-- > 0;) text.push_back(static_cast<char>(random() % 256));
    for (const auto pre : {PreTokenizer::kQwen2, PreTokenizer::kQwen35}) {
      std::string joined;
      for (const std::string& word : split(pre, text)) joined += word;
      ASSERT_EQ(joined, text);
    }
  }
}

TEST(PreTokenizer, KnowsItsPatterns) {
  for (const auto pre : {PreTokenizer::kQwen2, PreTokenizer::kQwen35})
    EXPECT_EQ(find_pre_tokenizer(pre_tokenizer_pattern(pre)), pre);
  EXPECT_EQ(find_pre_tokenizer("\\w+"), std::nullopt);
}

TEST(Nfc, ComposesOnlyWhereNeeded) {
  std::string storage;
  const std::string_view composed = "ordinary text, 汉字 é \u1e69 가";
  EXPECT_EQ(to_nfc(composed, storage).data(), composed.data());  // not copied
  EXPECT_EQ(to_nfc("xe\u0301y", storage), "xéy");
  EXPECT_EQ(to_nfc("s\u0307\u0323", storage), "\u1e69");  // marks sorted, then composed
  EXPECT_EQ(to_nfc("\u1112\u1161\u11ab", storage), "한");
  EXPECT_EQ(to_nfc("\u212b\u2126\uf900", storage), "Å\u03a9\u8c48");
  EXPECT_EQ(to_nfc("\u0958", storage), "\u0915\u093c");  // excluded from composition
  EXPECT_EQ(to_nfc("\U0001d15e", storage), "\U0001d157\U0001d165");
}

TEST(Nfc, InvalidBytesStayAndJoinNothing) {
  std::string storage;
  EXPECT_EQ(to_nfc("e\xff\u0301", storage), "e\xff\u0301");
  EXPECT_EQ(to_nfc("\xffo\u0301\xe4\xbd", storage), "\xffó\xe4\xbd");
}

// The reference's normaliser is of Unicode 9: marks that are younger are not sorted.
TEST(Nfc, YoungMarksStayWhereTheyAre) {
  std::string storage;
  EXPECT_EQ(to_nfc("a\u0898\u0323", storage), "a\u0898\u0323");
  EXPECT_EQ(to_nfc("\U00011935\U00011930", storage), "\U00011935\U00011930");
}

}  // namespace
}  // namespace ink
