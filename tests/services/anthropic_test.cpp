// Anthropic's wire, JSON in and JSON out: no model.
#include <gtest/gtest.h>

#include "services/anthropic/messages.h"
#include "tests/services/dialect_samples.h"

namespace ink::anthropic {
namespace {

using ::ink::testing::call_event;
using ::ink::testing::event_of;
using ::ink::testing::events_in;
using ::ink::testing::kMoment;
using ::ink::testing::light_call;
using ::ink::testing::RefusedRequest;
using ::ink::testing::text_answer;
using ::ink::testing::wire_json;

AnswerRequest request_of(std::string_view body) {
  auto asked = parse_messages_request(wire_json(body), kMoment);
  EXPECT_TRUE(asked.ok()) << asked.error().message();
  return asked.ok() ? asked->requests.front() : AnswerRequest();
}

std::string said(const ChatMessage& message) {
  const auto* text = std::get_if<std::string>(&message.content);
  return text == nullptr ? "(none)" : *text;
}

TEST(Anthropic, ReadsBlocks) {
  const auto request =
      request_of(R"({"model": "m", "max_tokens": 9, "system": [{"type": "text", "text": "S1"},
      {"type": "text", "text": "S2", "cache_control": {"type": "ephemeral"}}],
    "messages": [
      {"role": "user", "content": "u"},
      {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "A"}, {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]},
      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text",
        "text": "bad"}], "is_error": true}, {"type": "text", "text": "and now?"}]}],
    "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
    "stop_sequences": ["x"], "thinking": {"type": "enabled", "budget_tokens": 100}})");
  ASSERT_EQ(request.messages.size(), 5u);
  EXPECT_EQ(said(request.messages[0]), "S1\nS2");
  EXPECT_EQ(request.messages[2].reasoning, "hm");
  EXPECT_EQ(request.messages[2].tool_calls[0].arguments, (Json{{"a", 1}}));
  EXPECT_EQ(request.messages[3].role, Role::kTool);
  EXPECT_EQ(said(request.messages[3]), "Error: bad");
  EXPECT_EQ(said(request.messages[4]), "and now?");
  EXPECT_EQ(request.tools[0]["function"]["name"], "f");
  EXPECT_EQ(request.named_tool, "f");
  EXPECT_FALSE(request.parallel_tool_calls);
  EXPECT_EQ(request.thinking_budget, 100);
  EXPECT_EQ(request.enable_thinking, true);
  EXPECT_FALSE(request.continue_last);
}

TEST(Anthropic, ThinksOnlyWhenAskedAndContinuesTheAssistant) {
  const auto request = request_of(
      R"({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "It is"}]})");
  EXPECT_EQ(request.enable_thinking, false);
  EXPECT_TRUE(request.continue_last);
}

TEST(Anthropic, BillingLineDoesNotTouchThePrompt) {
  const auto system = [](const char* value, bool as_text) {
    const std::string line = std::string("x-anthropic-billing-header: cc_version=2; cch=") + value + ";";
    Json body{{"messages", Json::array({Json{{"role", "user"}, {"content", "u"}}})}};
    body["system"] = as_text ? Json(line + "\nBe kind.\nAlways.")
                             : Json::array({Json{{"type", "text"}, {"text", line}},
                                            Json{{"type", "text"}, {"text", "Be kind.\nAlways."}}});
    return said(request_of(body.dump()).messages.front());
  };
  EXPECT_EQ(system("fa690", true), "Be kind.\nAlways.");
  EXPECT_EQ(system("fa690", false), system("65abc", false));
  EXPECT_EQ(system("65abc", false), "Be kind.\nAlways.");
}

TEST(Anthropic, RefusesWithTheField) {
  const RefusedRequest cases[] = {
      {R"({})", "messages", "array"},
      {R"({"messages": []})", "messages", "at least one"},
      {R"({"messages": [{"role": "tool", "content": "x"}]})", "messages[0].role", "user or assistant"},
      {R"({"messages": [{"role": "user"}]})", "messages[0].content", "blocks"},
      {R"({"messages": [{"role": "user", "content": [{"type": "image"}]}]})", "messages[0].content[0]",
       "image"},
      {R"({"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]})",
       "messages[0].content[0].text", ""},
      {R"({"messages": [{"role": "user", "content": "u"}], "max_tokens": 0})", "max_tokens", "from 1"},
      {R"({"messages": [{"role": "user", "content": "u"}], "tools": [{"type": "web_search_20250305", "name": "w"}]})",
       "tools[0].type", "server"},
      {R"({"messages": [{"role": "user", "content": "u"}], "tools": [{"name": "w"}]})",
       "tools[0].input_schema", ""},
      {R"({"messages": [{"role": "user", "content": "u"}], "tool_choice": {"type": "any"}})", "tool_choice",
       "tools"},
      {R"({"messages": [{"role": "user", "content": "u"}], "thinking": {"type": "maybe"}})", "thinking.type",
       ""},
  };
  for (const RefusedRequest& one : cases) {
    const auto asked = parse_messages_request(wire_json(one.body), kMoment);
    ASSERT_FALSE(asked.ok()) << one.body;
    EXPECT_EQ(asked.error().where, one.param) << one.body;
    EXPECT_NE(asked.error().message().find(one.words), std::string::npos) << asked.error().message();
    const Json body = error_body(wire::failure_of(asked.error(), wire::Stage::kRequest));
    EXPECT_EQ(body["type"], "error");
    EXPECT_EQ(body["error"]["type"], "invalid_request_error");
  }
  const Error length{ErrorKind::kTooLarge, "context", "at most 5 tokens", "a prompt of 9 tokens", ""};
  const Json body = error_body(wire::failure_of(length, wire::Stage::kRequest));
  EXPECT_TRUE(body["error"]["message"].get<std::string>().starts_with("prompt is too long: "));
}

TEST(Anthropic, WholeReply) {
  auto asked =
      parse_messages_request(wire_json(R"({"messages": [{"role": "user", "content": "u"}]})"), kMoment);
  ASSERT_TRUE(asked.ok());
  FinishedAnswer answer = text_answer("Hi");
  answer.reasoning = "hm";
  answer.tool_calls = {light_call()};
  const Json reply = asked->writer->reply({answer});
  ASSERT_EQ(reply["content"].size(), 3u);
  EXPECT_EQ(reply["content"][0]["thinking"], "hm");
  EXPECT_EQ(reply["content"][2]["input"], light_call().call.arguments);
  EXPECT_EQ(reply["content"][2]["id"], "toolu_xyz");
  EXPECT_EQ(reply["stop_reason"], "tool_use");
  EXPECT_EQ(reply["usage"]["input_tokens"], 6);
  EXPECT_EQ(reply["usage"]["cache_read_input_tokens"], 4);
  FinishedAnswer stopped = text_answer("a");
  stopped.stop_string = "X";
  EXPECT_EQ(asked->writer->reply({stopped})["stop_sequence"], "X");
}

TEST(Anthropic, Stream) {
  auto asked =
      parse_messages_request(wire_json(R"({"messages": [{"role": "user", "content": "u"}]})"), kMoment);
  ASSERT_TRUE(asked.ok());
  wire::AnswerWriter& writer = *asked->writer;
  FinishedAnswer answer = text_answer("Hi");
  answer.tool_calls = {light_call()};
  std::string stream = writer.start("tiny", 10);
  stream += writer.event(0, event_of(AnswerEvent::Kind::kReasoning, "hm"));
  stream += writer.event(0, event_of(AnswerEvent::Kind::kContent, "H"));
  stream += writer.event(0, event_of(AnswerEvent::Kind::kContent, "i"));
  stream += writer.event(0, call_event(light_call(), 0));
  stream += writer.finish_choice(0, answer);
  stream += writer.end({answer});
  std::vector<std::string> types;
  std::string input;
  int open = -1;
  for (const Json& event : events_in(stream)) {
    const std::string type = event["type"];
    types.push_back(type);
    if (type == "content_block_start") open = event["index"];
    if (type == "content_block_delta") {
      EXPECT_EQ(event["index"], open);
    }
    if (type == "content_block_delta" && event["delta"]["type"] == "input_json_delta")
      input += event["delta"]["partial_json"].get<std::string>();
  }
  const std::vector<std::string> expected = {"message_start",       "ping",
                                             "content_block_start", "content_block_delta",
                                             "content_block_delta", "content_block_stop",
                                             "content_block_start", "content_block_delta",
                                             "content_block_delta", "content_block_stop",
                                             "content_block_start", "content_block_delta",
                                             "content_block_stop",  "message_delta",
                                             "message_stop"};
  EXPECT_EQ(types, expected);
  EXPECT_EQ(wire_json(input), light_call().call.arguments);
}

}  // namespace
}  // namespace ink::anthropic
