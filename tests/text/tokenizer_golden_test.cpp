// Ids and decoded bytes against the reference, from tokenizer.json and from a plain vocabulary.
#include "tests/text/tokenizer_golden.h"
#include "base/utf8.h"
#include "text/pre_tokenizer.h"
#include "text/stream_decoder.h"

namespace ink {
namespace {

using testing::golden_tokenizers;
using testing::must;
using testing::read_json_lines;
using Ids = std::vector<int32_t>;

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

// tokenizer.json with the expression of Qwen3.5 in place of Qwen2's.
std::string with_qwen35_pattern(std::string json) {
  const auto escaped = [](std::string_view pattern) { return Json(pattern).dump(); };
  const std::string old_pattern = escaped(pre_tokenizer_pattern(PreTokenizer::kQwen2));
  const size_t at = json.find(old_pattern);
  EXPECT_NE(at, std::string::npos);
  return json.replace(at, old_pattern.size(), escaped(pre_tokenizer_pattern(PreTokenizer::kQwen35)));
}

Ids encode_trusted(const Tokenizer& tokenizer, const std::string& text) {
  const TextSegment segment{text, true};
  return tokenizer.encode({&segment, 1});
}

TEST(TokenizerGolden, IdsOfAllCases) {
  for (const auto& golden : golden_tokenizers()) {
    const Tokenizer from_json = must(Tokenizer::from_json(golden.json, "tokenizer.json"));
    Vocabulary vocabulary = golden.vocabulary;
    const Tokenizer qwen2 = must(Tokenizer::from_vocabulary(vocabulary, "qwen2"));
    vocabulary.pre = PreTokenizer::kQwen35;
    const Tokenizer qwen35 = must(Tokenizer::from_vocabulary(vocabulary, "qwen35"));
    const Tokenizer json35 = must(Tokenizer::from_json(with_qwen35_pattern(golden.json), "tokenizer.json"));
    EXPECT_EQ(from_json.vocabulary_size(), qwen2.vocabulary_size());
    for (const Json& row : read_json_lines(golden.folder / "cases.jsonl")) {
      const auto text = row["text"].get<std::string>();
      const auto ids = row["ids"].get<Ids>();
      const Ids plain = row.contains("ids_plain") ? row["ids_plain"].get<Ids>() : ids;
      const Ids plain35 = row.contains("ids_plain_qwen35") ? row["ids_plain_qwen35"].get<Ids>() : plain;
      EXPECT_EQ(encode_trusted(from_json, text), ids) << text;
      EXPECT_EQ(encode_trusted(qwen2, text), ids) << text;
      EXPECT_EQ(from_json.encode(text), plain) << text;
      EXPECT_EQ(qwen2.encode(text), plain) << text;
      EXPECT_EQ(qwen35.encode(text), plain35) << text;
      EXPECT_EQ(json35.encode(text), plain35) << text;
    }
  }
}

TEST(TokenizerGolden, DecodedBytesAndText) {
  for (const auto& golden : golden_tokenizers()) {
    const Tokenizer tokenizer = must(Tokenizer::from_json(golden.json, "tokenizer.json"));
    for (const Json& row : read_json_lines(golden.folder / "decode.jsonl")) {
      const auto ids = row["ids"].get<Ids>();
      EXPECT_EQ(tokenizer.decode(ids, false), bytes_of_hex(row["bytes_hex"]));
      for (const bool skip_special : {false, true}) {
        StreamDecoder decoder(tokenizer, skip_special);
        std::string streamed;
        for (const int32_t id : ids) {
          const std::string piece = decoder.push(id);
          EXPECT_EQ(find_invalid_utf8(piece), std::nullopt);
          streamed += piece;
        }
        streamed += decoder.finish();
        EXPECT_EQ(streamed, row[skip_special ? "text_skip_special" : "text"].get<std::string>());
      }
    }
  }
}

TEST(TokenizerGolden, RetrievalPrompts) {
  // The prompts of the published retrieval models need Qwen's own vocabulary: only the larger set has both.
  int folders = 0;
  for (const auto& golden_folder : testing::golden_folders()) {
    const auto path = golden_folder / "retrieval_prompts/cases.jsonl";
    if (!std::filesystem::exists(path)) continue;
    ++folders;
    const auto folder = golden_folder / "tokenizer";
    for (const auto& golden : golden_tokenizers()) {
      if (golden.folder != folder) continue;
      const Tokenizer tokenizer = must(Tokenizer::from_json(golden.json, "tokenizer.json"));
      for (const Json& row : read_json_lines(path)) {
        Ids ids;
        if (!row.contains("ids")) continue;  // the two answer tokens of the reranker
        if (row.contains("text")) {
          ids = tokenizer.encode(row["text"].get<std::string>());
          ids.push_back(*tokenizer.find_added("<|endoftext|>"));
        } else {
          ids = tokenizer.encode(
              std::vector<TextSegment>{{row["prefix"], true}, {row["pair"], false}, {row["suffix"], true}});
        }
        EXPECT_EQ(ids, row["ids"].get<Ids>()) << row.dump();
      }
    }
  }
  if (folders == 0) GTEST_SKIP() << "no golden folder has retrieval_prompts";
}

}  // namespace
}  // namespace ink
