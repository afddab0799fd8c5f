// The reference's tokenizer and its cases, read once per golden folder and shared by the tests of this room.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "tests/golden_folder.h"
#include "text/tokenizer.h"

namespace ink::testing {

// The text of a gzip file, by the gzip program: the library itself needs no decompression.
inline std::string read_gzip(const std::filesystem::path& path) {
  std::string text;
  FILE* pipe = popen(("gzip -dc '" + path.string() + "'").c_str(), "r");
  if (pipe == nullptr) return text;
  std::vector<char> block(1 << 16);
  for (size_t count = 0; (count = fread(block.data(), 1, block.size(), pipe)) > 0;)
    text.append(block.data(), count);
  if (pclose(pipe) != 0) text.clear();
  return text;
}

inline std::vector<Json> read_json_lines(const std::filesystem::path& path) {
  std::vector<Json> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    auto row = parse_json(line, path.string());
    EXPECT_TRUE(row.ok());
    if (row.ok()) rows.push_back(std::move(*row));
  }
  EXPECT_FALSE(rows.empty()) << path;
  return rows;
}

struct GoldenTokenizer {
  std::filesystem::path folder;  // .../tokenizer
  std::string json;              // tokenizer.json
  Vocabulary vocabulary;         // the same tokens and merges as a GGUF file gives them
};

// model.vocab and model.merges of a tokenizer.json by the general parser, as an independent reading.
inline Vocabulary vocabulary_of(const std::string& tokenizer_json) {
  Vocabulary vocabulary;
  const auto root = nlohmann::json::parse(tokenizer_json);
  const auto place = [&](size_t id, const std::string& token) {
    if (vocabulary.tokens.size() <= id) vocabulary.tokens.resize(id + 1);
    vocabulary.tokens[id] = token;
  };
  for (const auto& [token, id] : root["model"]["vocab"].items()) place(id.get<size_t>(), token);
  for (const auto& merge : root["model"]["merges"])
    vocabulary.merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  for (const auto& added : root["added_tokens"]) {
    place(added["id"].get<size_t>(), added["content"].get<std::string>());
    vocabulary.added.push_back({added["id"], added["content"], added["special"]});
  }
  return vocabulary;
}

inline const std::vector<GoldenTokenizer>& golden_tokenizers() {
  static const std::vector<GoldenTokenizer> all = [] {
    std::vector<GoldenTokenizer> found;
    for (const auto& path : require_golden_paths("tokenizer/tokenizer.json.gz")) {
      std::string json = read_gzip(path);
      Vocabulary vocabulary = vocabulary_of(json);
      found.push_back({path.parent_path(), std::move(json), std::move(vocabulary)});
    }
    return found;
  }();
  return all;
}

inline Tokenizer must(Result<Tokenizer> tokenizer) {
  INK_CHECK(tokenizer.ok(), tokenizer.ok() ? "" : tokenizer.error().message().c_str());
  return std::move(tokenizer).value();
}

// The first golden tokenizer, loaded once.
inline const Tokenizer& golden_tokenizer() {
  static const Tokenizer tokenizer = [] {
    INK_CHECK(!golden_tokenizers().empty(), "no golden tokenizer");
    return must(Tokenizer::from_json(golden_tokenizers()[0].json, "tokenizer.json"));
  }();
  return tokenizer;
}

}  // namespace ink::testing
