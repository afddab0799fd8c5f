// Properties of the turn parser: the cuts of the stream never matter, nothing is dropped, a rendered call
// comes back as the same call, and the work is linear in the text.
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "text/tool_calls.h"

namespace ink {
namespace {

constexpr ChatFormat kFormats[] = {
    ChatFormat::kQwen3,      ChatFormat::kQwen3Instruct, ChatFormat::kQwen3Thinking, ChatFormat::kQwen3Vl,
    ChatFormat::kQwen3Coder, ChatFormat::kQwen35,        ChatFormat::kQwq,           ChatFormat::kQwen25};

const char* const kNasty[] = {"plain",
                              "",
                              " ",
                              "\n",
                              "\n\nx\n",
                              "\"quoted\" 'n' \\ \\\"",
                              "a\tb\r\nc",
                              "</tool_call>",
                              "<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call>",
                              "</parameter>\n</function>",
                              "</parameter>",
                              "</function>\n</tool_call>",
                              "<function=g>",
                              "<parameter=q>\n1\n",
                              "<think>x</think>",
                              "香港天氣點呀",
                              "🌦️👩‍👩‍👧",
                              "e\u0301",
                              "{}",
                              "[1]",
                              "null",
                              "None",
                              "True",
                              "5",
                              "</",
                              "<",
                              "}}",
                              "{\"a\": \"}"};

// Everything that the events said, in one text.
struct Heard {
  std::string reasoning;
  std::string content;
  std::string calls;
  bool operator==(const Heard&) const = default;
};

void hear(Heard& heard, const std::vector<TurnEvent>& events) {
  for (const TurnEvent& event : events) {
    if (event.kind == TurnEvent::Kind::kReasoning) heard.reasoning += event.text;
    if (event.kind == TurnEvent::Kind::kContent) heard.content += event.text;
    if (event.kind == TurnEvent::Kind::kToolCall)
      heard.calls += event.call.name + event.call.arguments.dump();
  }
}

Heard heard_of(ChatFormat format, const std::string& text, bool thinking, const std::vector<size_t>& cuts) {
  TurnParser parser(format, {}, thinking);
  Heard heard;
  size_t start = 0;
  for (const size_t cut : cuts) {
    hear(heard, parser.push(std::string_view(text).substr(start, cut - start)));
    start = cut;
  }
  hear(heard, parser.push(std::string_view(text).substr(start)));
  hear(heard, parser.finish());
  EXPECT_EQ(heard.reasoning, parser.turn().reasoning);
  EXPECT_EQ(heard.content, parser.turn().content);
  return heard;
}

std::string random_turn(std::mt19937& random) {
  const char* const pieces[] = {
      "<think>",
      "</think>",
      "<tool_call>",
      "</tool_call>",
      "<function=f>",
      "</function>",
      "<parameter=p>",
      "</parameter>",
      "\n",
      "\n",
      " ",
      "{\"name\": \"f\"}",
      "{\"name\":",
      "\"f\", \"arguments\": {\"a\": \"",
      "\"}}",
      "text",
      "香",
      "🌦",
      "\xff",
      "\xe9",
      "<",
      "</",
      "<tool_",
      "\\",
      "\"",
      "{",
      "}",
      "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>",
      "<tool_call>\n<function=f>\n<parameter=p>\n1\n</parameter>\n</function>\n</tool_call>"};
  std::string text;
  const size_t count = 1 + random() % 14;
  for (size_t i = 0; i < count; ++i) text += pieces[random() % std::size(pieces)];
  return text;
}

TEST(ToolCallsProperty, CutsDoNotMatter) {
  std::mt19937 random(1);
  for (int round = 0; round < 400; ++round) {
    const std::string text = random_turn(random);
    for (const ChatFormat format : {ChatFormat::kQwen3, ChatFormat::kQwen35, ChatFormat::kQwen3Coder}) {
      const bool thinking = random() % 2 == 0;
      const Heard whole = heard_of(format, text, thinking, {});
      std::vector<size_t> every;
      for (size_t cut = 1; cut < text.size(); ++cut) {
        ASSERT_EQ(heard_of(format, text, thinking, {cut}), whole) << text << " cut at " << cut;
        every.push_back(cut);
      }
      ASSERT_EQ(heard_of(format, text, thinking, every), whole) << text;
    }
  }
}

TEST(ToolCallsProperty, WithoutCallsNothingIsDropped) {
  std::mt19937 random(2);
  size_t checked = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::string text = random_turn(random);
    for (const ChatFormat format : {ChatFormat::kQwen25, ChatFormat::kQwen3Coder}) {
      const AssistantTurn turn = parse_turn(format, text, {}, false);
      if (!turn.tool_calls.empty()) continue;
      ++checked;
      ASSERT_EQ(turn.content, text.substr(std::min(text.find_first_not_of('\n'), text.size())));
      ASSERT_EQ(turn.reasoning, "");
    }
  }
  EXPECT_GT(checked, 1000U);
}

// What follows the role in the last turn of the rendered conversation.
std::string rendered_turn(ChatFormat format, const ChatMessage& message, const std::vector<Json>& tools) {
  ChatMessage user;
  user.content = "u";
  const std::vector<ChatMessage> messages = {user, message};
  ChatOptions options;
  options.tools = tools;
  options.add_generation_prompt = false;
  const auto prompt = render_chat(format, messages, options);
  EXPECT_TRUE(prompt.ok());
  std::string text;
  for (const TextSegment& segment : *prompt) text += segment.text;
  const std::string start = "<|im_start|>assistant\n";
  const std::string end = "<|im_end|>\n";
  text = text.substr(text.rfind(start) + start.size());
  return text.substr(0, text.size() - end.size());
}

TEST(ToolCallsProperty, ARenderedCallComesBack) {
  const std::vector<Json> tools = {*parse_json(R"({"type":"function","function":{"name":"f","parameters":{
    "type":"object","properties":{"i":{"type":"integer"},"n":{"type":"number"},"b":{"type":"boolean"},
    "z":{"type":"null"},"o":{"type":"object"},"a":{"type":"array"}}}}})",
                                               "test")};
  for (const ChatFormat format : kFormats) {
    for (const std::string nasty : kNasty) {
      SCOPED_TRACE(std::string(chat_traits(format).name) + ": " + nasty);
      ChatMessage message;
      message.role = Role::kAssistant;
      message.content = "Let me see.";
      message.tool_calls = {
          {"f",
           Json::object({{"s", nasty}, {"i", -7}, {"n", 1e3}, {"b", true}, {"z", nullptr}, {"t", nasty}}),
           true},
          {"f", Json::object({{"o", {{"k", nasty}}}, {"a", {nasty, 1, nullptr, false}}}), true},
          {"g", Json::object(), true}};
      const std::string text = rendered_turn(format, message, tools);
      const AssistantTurn turn = parse_turn(format, text, tools, false);
      EXPECT_EQ(turn.content, "Let me see.");
      ASSERT_EQ(turn.tool_calls.size(), message.tool_calls.size()) << text;
      for (size_t i = 0; i < turn.tool_calls.size(); ++i) {
        EXPECT_EQ(turn.tool_calls[i].name, message.tool_calls[i].name);
        EXPECT_EQ(turn.tool_calls[i].arguments, message.tool_calls[i].arguments);
      }
    }
  }
}

TEST(ToolCallsProperty, ThinkingComesBack) {
  for (const ChatFormat format : {ChatFormat::kQwen3, ChatFormat::kQwen3Thinking, ChatFormat::kQwen35}) {
    ChatMessage message;
    message.role = Role::kAssistant;
    message.content = "Answer\n\nmore";
    message.reasoning = "one\n\ntwo <tool_call>";
    const AssistantTurn turn = parse_turn(format, rendered_turn(format, message, {}), {}, false);
    EXPECT_EQ(turn.reasoning, *message.reasoning);
    EXPECT_EQ(turn.content, "Answer\n\nmore");
  }
}

// A quadratic parser needs minutes for these; the linear one needs well under a second.
TEST(ToolCallsProperty, LongTurnsStayLinear) {
  const auto times = [](const std::string& text, size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) out += text;
    return out;
  };
  const std::string texts[] = {
      "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"" + times("x\\n</tool_call>", 40000),
      "<tool_call><function=f><parameter=p>" + times("</parameter> x </function>\n", 20000),
      times("<tool_call>{\"", 50000),
      times("<tool_call>{\"a\":[\"", 30000),
      times("<tool_call><function=f><parameter=p>", 15000),
      times("<tool_call>", 50000),
      times("<tool_call>{\"name\":\"f\"}</tool_call>", 10000),
      times("\n", 300000) + "<",
      "<tool_call><function=f><parameter=p></parameter>" + times("\n", 300000),
      "<tool_call><function=" + times("f", 300000),
  };
  for (const std::string& text : texts) {
    const auto start = std::chrono::steady_clock::now();
    for (const ChatFormat format : {ChatFormat::kQwen3, ChatFormat::kQwen35}) {
      parse_turn(format, text, {}, false);
      TurnParser parser(format, {}, false);
      for (size_t at = 0; at < text.size(); at += 5) parser.push(std::string_view(text).substr(at, 5));
      parser.finish();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << text.substr(0, 60);
  }
}

}  // namespace
}  // namespace ink
