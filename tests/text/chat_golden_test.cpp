// The chat formats against the published templates: every golden conversation byte for byte, every refusal a
// refusal, and every template text recognised.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "tests/golden_folder.h"
#include "text/chat.h"

namespace ink {
namespace {

const std::map<std::string, ChatFormat> kFormatOfTemplate = {
    {"Qwen-Qwen3-0.6B.jinja", ChatFormat::kQwen3},
    {"Qwen3-4B-Thinking-2507.jinja", ChatFormat::kQwen3Thinking},
    {"Qwen3-VL-Instruct.jinja", ChatFormat::kQwen3Vl},
    {"Qwen3-Coder.jinja", ChatFormat::kQwen3Coder},
    {"Qwen3.5-4B.jinja", ChatFormat::kQwen35},
    {"Qwen-QwQ-32B.jinja", ChatFormat::kQwq},
    {"Qwen-Qwen2.5-7B-Instruct.jinja", ChatFormat::kQwen25},
};

ChatOptions options_of(const Json& row) {
  ChatOptions options;
  if (row["tools"].is_array()) options.tools = row["tools"].get<std::vector<Json>>();
  const Json& kwargs = row["kwargs"];
  options.add_generation_prompt = kwargs.value("add_generation_prompt", false);
  options.add_vision_id = kwargs.value("add_vision_id", false);
  if (kwargs.contains("enable_thinking")) options.enable_thinking = kwargs["enable_thinking"].get<bool>();
  return options;
}

std::string joined(const std::vector<TextSegment>& segments) {
  std::string text;
  for (const TextSegment& segment : segments) text += segment.text;
  return text;
}

void check_case(const Json& row, size_t& rendered, size_t& refused) {
  const auto format = kFormatOfTemplate.find(row["template"].get<std::string>());
  ASSERT_NE(format, kFormatOfTemplate.end()) << "no format is known for this template";
  const Result<std::vector<ChatMessage>> messages = parse_messages(row["messages"], "messages");
  ASSERT_TRUE(messages.ok()) << messages.error().message();
  const Result<std::vector<TextSegment>> prompt = render_chat(format->second, *messages, options_of(row));
  if (row.contains("error")) {
    ++refused;
    ASSERT_FALSE(prompt.ok()) << "the template refuses: " << row["error"];
    EXPECT_EQ(prompt.error().kind, ErrorKind::kInvalid);
    EXPECT_FALSE(prompt.error().message().empty());
    return;
  }
  ++rendered;
  ASSERT_TRUE(prompt.ok()) << prompt.error().message();
  EXPECT_EQ(joined(*prompt), row["expected"].get<std::string>());
  for (size_t i = 1; i < prompt->size(); ++i) EXPECT_NE((*prompt)[i].trusted, (*prompt)[i - 1].trusted);
}

TEST(ChatGolden, EveryConversationIsRenderedAsTheTemplateDoes) {
  for (const auto& path : testing::require_golden_paths("chat_templates/cases.jsonl")) {
    size_t rendered = 0;
    size_t refused = 0;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      const Result<Json> row = parse_json(line, path.string());
      ASSERT_TRUE(row.ok()) << row.error().message();
      SCOPED_TRACE(path.string() + ": " + (*row)["template"].get<std::string>() + " " +
                   (*row)["name"].get<std::string>() + " " + (*row)["kwargs"].dump());
      check_case(*row, rendered, refused);
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(rendered, 0U) << path;
    RecordProperty("rendered", std::to_string(rendered));
    RecordProperty("refused", std::to_string(refused));
  }
}

TEST(ChatGolden, EveryTemplateTextIsRecognised) {
  for (const auto& cases : testing::require_golden_paths("chat_templates/cases.jsonl")) {
    for (const auto& entry : std::filesystem::directory_iterator(cases.parent_path())) {
      if (entry.path().extension() != ".jinja") continue;
      SCOPED_TRACE(entry.path().string());
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      const auto wanted = kFormatOfTemplate.find(entry.path().filename().string());
      ASSERT_NE(wanted, kFormatOfTemplate.end());
      const DetectedFormat exact = detect_chat_format(text.str() + " \n\n");
      EXPECT_TRUE(exact.exact);
      EXPECT_EQ(exact.format, wanted->second);
      // With a remark in front the text is another one; its features still tell the format.
      const DetectedFormat guessed = detect_chat_format("{#- changed -#}" + text.str());
      EXPECT_FALSE(guessed.exact);
      EXPECT_EQ(chat_traits(guessed.format).name, chat_traits(wanted->second).name);
    }
  }
}

}  // namespace
}  // namespace ink
