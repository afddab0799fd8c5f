// What the tests of constrained generation share: vocabularies, catalogues of tools, and walking a text.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "runtime/constraint.h"
#include "runtime/grammar_tools.h"
#include "runtime/model_files.h"
#include "tensor/checkpoint.h"
#include "tests/text/tokenizer_small.h"

namespace ink::testing {

inline const std::filesystem::path kPocketModel =
    std::filesystem::path(INK_SOURCE_DIR) / "pocket/assistant/assistant.gguf";

// Each byte a token; the marks of calls are added tokens or not.
inline std::shared_ptr<const TokenTree> byte_tree(bool with_marks) {
  Vocabulary vocabulary = small_vocabulary({});
  std::vector<std::pair<std::string, bool>> added = {{"<|im_end|>", true}};
  if (with_marks)
    added.insert(added.end(), {{"<tool_call>", false}, {"</tool_call>", false}, {"<think>", false}});
  for (const auto& [text, special] : added) {
    vocabulary.added.push_back({static_cast<int32_t>(vocabulary.tokens.size()), text, special});
    vocabulary.tokens.push_back(text);
  }
  const auto tokenizer = Tokenizer::from_vocabulary(vocabulary, "bytes");
  EXPECT_TRUE(tokenizer.ok());
  return TokenTree::create(*tokenizer);
}

inline std::shared_ptr<const TokenTree> pocket_tree() {
  static const std::shared_ptr<const TokenTree> tree = [] {
    const auto checkpoint = Checkpoint::open(kPocketModel);
    EXPECT_TRUE(checkpoint.ok());
    const auto tokenizer = read_tokenizer(*checkpoint);
    EXPECT_TRUE(tokenizer.ok());
    return TokenTree::create(*tokenizer);
  }();
  return tree;
}

inline Json json(std::string_view text) {
  auto value = parse_json(text, "test");
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : Json();
}

struct Catalogue {
  std::string name;
  std::vector<Json> tools;
};

// The pocket assistant's catalogue, and the shared one where it is there.
inline std::vector<Catalogue> catalogues() {
  std::vector<Catalogue> found;
  for (const char* name : {"pocket/assistant/catalogue.json", "../shared/assistant/catalogue.json"}) {
    std::ifstream file(std::filesystem::path(INK_SOURCE_DIR) / name);
    if (!file) continue;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    found.push_back({name, json(text).get<std::vector<Json>>()});
  }
  EXPECT_FALSE(found.empty());
  return found;
}

inline Json tool(std::string_view name, std::string_view parameters) {
  Json declaration;
  declaration["type"] = "function";
  declaration["function"]["name"] = name;
  declaration["function"]["parameters"] = json(parameters);
  return declaration;
}

inline std::shared_ptr<const TokenGrammar> grammar_of(const std::vector<Json>& tools,
                                                      ToolGrammarOptions options,
                                                      std::shared_ptr<const TokenTree> tree) {
  auto grammar = compile_tools(tools, options);
  EXPECT_TRUE(grammar.ok()) << grammar.error().message();
  return TokenGrammar::create(std::move(*grammar), std::move(tree));
}

inline std::unique_ptr<Constraint> constraint_of(std::shared_ptr<const TokenGrammar> grammar,
                                                 ConstraintOptions options = {}) {
  auto constraint = Constraint::create(std::move(grammar), std::move(options));
  EXPECT_TRUE(constraint.ok()) << constraint.error().message();
  return std::move(*constraint);
}

// How many bytes of the text are accepted, one token each; marks by their own tokens where there are any.
inline size_t accepted_bytes(Constraint& constraint, std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    int32_t id = static_cast<unsigned char>(text[at]);
    size_t size = 1;
    for (const std::string_view mark : {"<tool_call>", "</tool_call>"}) {
      const auto token = constraint.tokenizer().find_added(mark);
      if (!token || !text.substr(at).starts_with(mark) || !constraint.allowed().test(*token)) continue;
      id = *token;
      size = mark.size();
    }
    if (!constraint.accept(id)) break;
    at += size;
  }
  return at;
}

inline std::string call_text(std::string_view name, std::string_view arguments) {
  return "<tool_call>\n{\"name\": \"" + std::string(name) + "\", \"arguments\": " + std::string(arguments) +
         "}\n</tool_call>";
}

// Whole calls in an answer, counted by their ends.
inline size_t calls_in(std::string_view text) {
  constexpr std::string_view kEnd = "}\n</tool_call>";
  size_t count = 0;
  for (size_t at = text.find(kEnd); at != std::string_view::npos; at = text.find(kEnd, at + 1)) ++count;
  return count;
}

}  // namespace ink::testing
