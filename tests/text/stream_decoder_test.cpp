// Text while it is generated: pieces are whole characters, and together they are the decoded text.
#include "text/stream_decoder.h"

#include <gtest/gtest.h>

#include "base/utf8.h"
#include "tests/text/tokenizer_golden.h"
#include "tests/text/tokenizer_small.h"

namespace ink {
namespace {

Tokenizer bytes_only() {
  Vocabulary vocabulary = testing::small_vocabulary({});
  vocabulary.added = {{256, "<|end|>", true}, {257, "<think>", false}};
  return testing::must(Tokenizer::from_vocabulary(vocabulary, "bytes"));
}

// Pushes each byte of `bytes` as one token (tests: id = byte) and marks the pieces with '|'.
std::string pieces(std::string_view bytes) {
  StreamDecoder decoder(bytes_only(), true);
  std::string shown;
  for (const char byte : bytes) shown += decoder.push(static_cast<unsigned char>(byte)) + "|";
  return shown + decoder.finish();
}

TEST(StreamDecoder, HoldsBackUnfinishedCharacters) {
  EXPECT_EQ(pieces("aé"), "a||é|");
  EXPECT_EQ(pieces("你😀"), "||你||||😀|");
}

TEST(StreamDecoder, ReplacesWhatCannotBecomeACharacter) {
  EXPECT_EQ(pieces("\xff"
                   "a"),
            "\ufffd|a|");
  EXPECT_EQ(pieces("\xe4"
                   "a"),
            "|\ufffda|");
  EXPECT_EQ(pieces("\xe4\xbd"
                   "a"),
            "||\ufffda|");  // one character for the two bytes
  EXPECT_EQ(pieces("\xf0\x9f\x98\xe4"), "|||\ufffd|\ufffd");
  EXPECT_EQ(pieces("\xe0\x80"), "|\ufffd\ufffd|");  // overlong: each byte for itself
  EXPECT_EQ(pieces("\x80\x80"), "\ufffd|\ufffd|");
}

TEST(StreamDecoder, FinishGivesWhatIsHeld) {
  EXPECT_EQ(pieces("\xe4\xbd"), "||\ufffd");
  EXPECT_EQ(pieces("\xf0\x9f\x98"), "|||\ufffd");
  StreamDecoder decoder(bytes_only(), true);
  EXPECT_EQ(decoder.finish(), "");
  decoder.push(0xe4);
  EXPECT_EQ(decoder.finish(), "\ufffd");
  EXPECT_EQ(decoder.finish(), "");
}

TEST(StreamDecoder, SpecialTokens) {
  const Tokenizer tokenizer = bytes_only();
  StreamDecoder skipping(tokenizer, true);
  EXPECT_EQ(skipping.push(256), "");
  EXPECT_EQ(skipping.push(257), "<think>");
  StreamDecoder showing(tokenizer, false);
  EXPECT_EQ(showing.push(256), "<|end|>");
  EXPECT_EQ(showing.push(-1) + showing.push(999999), "");  // no such ids: nothing
}

TEST(StreamDecoder, SkippedTokensDoNotCutACharacter) {
  StreamDecoder decoder(bytes_only(), true);
  EXPECT_EQ(decoder.push(0xc3) + decoder.push(256), "");
  EXPECT_EQ(decoder.push(0xa9), "é");
}

}  // namespace
}  // namespace ink
