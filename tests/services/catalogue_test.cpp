// The catalogue that is built in: all forty tools, the shared declaration where it lies beside us, and an
// honest answer from every one of them.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/mapped_file.h"
#include "runtime/grammar_tools.h"
#include "services/assistant/catalogue.h"
#include "services/assistant/device/absent.h"
#include "services/assistant/phrases.h"
#include "services/assistant/plain_schema.h"

namespace ink::assistant {
namespace {

Json without_copied(Json tool) {
  for (auto& property : tool["function"]["parameters"]["properties"]) property.erase("copied");
  return tool;
}

TEST(AssistantCatalogue, HasFortyToolsAndMakesAGrammar) {
  const auto& catalogue = embedded_catalogue();
  EXPECT_EQ(catalogue.size(), 40U);
  EXPECT_TRUE(compile_tools(catalogue, {}).ok());
  for (const auto& tool : catalogue) EXPECT_EQ(enforceable(tool), tool);  // nothing had to be relaxed
}

TEST(AssistantCatalogue, IsTheSharedOne) {
  const std::filesystem::path shared =
      std::filesystem::path(INK_SOURCE_DIR) / "../shared/assistant/catalogue.json";
  if (!std::filesystem::exists(shared)) GTEST_SKIP() << shared << " is not there";
  const auto text = read_text_file(shared, 1 << 20);
  ASSERT_TRUE(text.ok());
  const auto theirs = read_catalogue(*text, "catalogue.json");
  ASSERT_TRUE(theirs.ok());
  const auto& ours = embedded_catalogue();
  ASSERT_EQ(ours.size(), theirs->size());
  for (size_t i = 0; i < ours.size(); ++i) EXPECT_EQ(without_copied(ours[i]), without_copied((*theirs)[i]));
}

// With nothing connected at all, each tool says so in every language, and each that can never be connected to
// this program has a sentence of its own.
TEST(AssistantCatalogue, WhatIsNotConnectedSaysSo) {
  const Registry nothing;
  for (const auto& tool : absent_tools(embedded_catalogue(), nothing)) {
    const Outcome outcome = tool->call(Json::object(), {});
    EXPECT_EQ(outcome.problem, problem::kNotConnected);
    for (const Language language : {Language::kMandarin, Language::kCantonese, Language::kEnglish}) {
      const std::string said = say(outcome, {language, false});
      EXPECT_FALSE(said.empty());
      EXPECT_NE(said, say(failed(problem::kFailed), {language, false}));
    }
  }
}

TEST(AssistantCatalogue, DamagedOnesAreRefused) {
  EXPECT_FALSE(read_catalogue("{", "c").ok());
  EXPECT_FALSE(read_catalogue("{}", "c").ok());
  EXPECT_FALSE(read_catalogue("[1]", "c").ok());
  EXPECT_EQ(read_catalogue(R"([{"type": "function"}])", "c").error().where, "c[0]");
}

TEST(AssistantSchemaForeign, IsBroughtToWhatTheConstraintEnforces) {
  const Json foreign =
      Json::parse(R"({"type": "function", "function": {"name": "search", "strict": true, "parameters": {
    "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "patternProperties": {},
    "properties": {"query": {"type": "string", "format": "uri", "pattern": "(?=x)y"},
                   "anything": {}, "maybe": {"type": ["integer", "null"], "exclusiveMinimum": 0},
                   "deep": {"type": "object", "properties": {"a": {"not": {}}}, "required": ["a", "b"]},
                   "kind": {"enum": ["x", 1, null]}, "many": {"type": "array", "uniqueItems": true}},
    "required": ["query", "absent"], "if": {}}}})");
  ASSERT_FALSE(compile_tools(std::span(&foreign, 1), {.all_strict = true}).ok());
  const Json plain = enforceable(foreign);
  const auto compiled = compile_tools(std::span(&plain, 1), {.all_strict = true});
  EXPECT_TRUE(compiled.ok()) << compiled.error().message();
  EXPECT_EQ(plain["function"]["parameters"]["required"], Json::array({"query"}));
  EXPECT_EQ(plain["function"]["parameters"]["properties"].size(), 6U);
}

}  // namespace
}  // namespace ink::assistant
