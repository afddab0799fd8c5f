// Ollama's wire, JSON in and JSON out: no model.
#include <gtest/gtest.h>

#include "services/ollama/chat.h"
#include "services/ollama/models.h"
#include "services/wire/fields.h"
#include "tests/services/dialect_samples.h"

namespace ink::ollama {
namespace {

using ::ink::testing::call_event;
using ::ink::testing::event_of;
using ::ink::testing::kMoment;
using ::ink::testing::light_call;
using ::ink::testing::lines_in;
using ::ink::testing::RefusedRequest;
using ::ink::testing::text_answer;
using ::ink::testing::wire_json;

TEST(Ollama, ReadsAChat) {
  const auto asked = parse_chat(wire_json(R"({"model": "m", "think": false, "format": {"type": "object"},
    "options": {"temperature": 0, "num_predict": -2, "num_ctx": 8192, "stop": "x", "seed": 3}, "keep_alive": -1,
    "messages": [{"role": "user", "content": "u"},
      {"role": "assistant", "thinking": "hm", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
      {"role": "tool", "tool_name": "f", "content": "done"}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]})"),
                                kMoment);
  ASSERT_TRUE(asked.ok()) << asked.error().message();
  EXPECT_TRUE(asked->asked.stream) << "streams unless it is told not to";
  EXPECT_FALSE(asked->only_load);
  const AnswerRequest& request = asked->asked.requests.front();
  EXPECT_EQ(request.enable_thinking, false);
  EXPECT_EQ(request.max_tokens, -1);
  EXPECT_EQ(*request.sampling.temperature, 0);
  EXPECT_EQ(request.reply.kind, ReplyFormat::Kind::kJsonSchema);
  EXPECT_LT(request.keep_alive->count(), 0);
  ASSERT_EQ(request.messages.size(), 3u);
  EXPECT_EQ(request.messages[1].reasoning, "hm");
  EXPECT_EQ(request.messages[1].tool_calls[0].arguments, (Json{{"a", 1}}));
}

TEST(Ollama, NothingToAnswerLoadsOrUnloads) {
  const auto load = parse_chat(wire_json(R"({"model": "m", "messages": []})"), kMoment);
  ASSERT_TRUE(load.ok());
  EXPECT_TRUE(load->only_load);
  EXPECT_FALSE(load->unload);
  EXPECT_EQ(load_reply("m", *load, true, kMoment)["done_reason"], "load");
  const auto unload = parse_generate(wire_json(R"({"model": "m", "keep_alive": 0})"), kMoment);
  ASSERT_TRUE(unload.ok());
  EXPECT_TRUE(unload->unload);
  const Json reply = load_reply("m", *unload, false, kMoment);
  EXPECT_EQ(reply["done_reason"], "unload");
  EXPECT_EQ(reply["response"], "");
}

TEST(Ollama, GenerateIsAChatOrRaw) {
  const auto chat = parse_generate(wire_json(R"({"prompt": "u", "system": "S"})"), kMoment);
  ASSERT_TRUE(chat.ok());
  EXPECT_EQ(chat->asked.requests[0].messages.size(), 2u);
  const auto raw = parse_generate(wire_json(R"({"prompt": "u", "raw": true, "stream": false})"), kMoment);
  ASSERT_TRUE(raw.ok());
  EXPECT_EQ(std::get<std::string>(*raw->asked.requests[0].raw), "u");
  EXPECT_FALSE(raw->asked.stream);
}

TEST(Ollama, RefusesWithTheField) {
  const RefusedRequest chats[] = {
      {R"({"messages": [{"role": "user", "content": "u", "images": ["aGk="]}]})", "messages[0].images",
       "pictures"},
      {R"({"messages": [{"role": "user", "content": 1}]})", "messages[0].content", "text"},
      {R"({"messages": {}})", "messages", "array"},
      {R"({"messages": [{"role": "user", "content": "u"}], "think": "hard"})", "think", "low"},
      {R"({"messages": [{"role": "user", "content": "u"}], "format": "yaml"})", "format", "json"},
      {R"({"messages": [{"role": "user", "content": "u"}], "options": {"num_predict": -3}})",
       "options.num_predict", "-2"},
      {R"({"messages": [{"role": "user", "content": "u"}], "keep_alive": "soon"})", "keep_alive", "10m"},
      {R"({"messages": [{"role": "user", "content": "u"}], "tools": [{}]})", "tools[0].function.name",
       "name"},
  };
  for (const RefusedRequest& one : chats) {
    const auto asked = parse_chat(wire_json(one.body), kMoment);
    ASSERT_FALSE(asked.ok()) << one.body;
    EXPECT_EQ(asked.error().where, one.param) << one.body;
    EXPECT_NE(asked.error().message().find(one.words), std::string::npos) << asked.error().message();
    const Json body = error_body(wire::failure_of(asked.error(), wire::Stage::kRequest));
    EXPECT_TRUE(body["error"].is_string());
  }
  for (const char* body :
       {R"({"prompt": "a", "suffix": "b"})", R"({"prompt": "a", "images": ["x"]})",
        R"({"prompt": "a", "template": "{{ .Prompt }}"})", R"({"prompt": "a", "context": [1]})"})
    EXPECT_FALSE(parse_generate(wire_json(body), kMoment).ok()) << body;
}

TEST(Ollama, StreamOfLines) {
  auto asked = parse_chat(wire_json(R"({"messages": [{"role": "user", "content": "u"}]})"), kMoment);
  ASSERT_TRUE(asked.ok());
  wire::AnswerWriter& writer = *asked->asked.writer;
  FinishedAnswer answer = text_answer("Hi");
  answer.usage.prompt_seconds = 0.5;
  std::string stream = writer.start("tiny", 1);
  stream += writer.event(0, event_of(AnswerEvent::Kind::kReasoning, "hm"));
  stream += writer.event(0, event_of(AnswerEvent::Kind::kContent, "Hi"));
  stream += writer.event(0, call_event(light_call(), 0));
  stream += writer.finish_choice(0, answer);
  stream += writer.end({answer});
  const auto lines = lines_in(stream);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["message"]["thinking"], "hm");
  EXPECT_EQ(lines[1]["message"]["content"], "Hi");
  EXPECT_EQ(lines[1]["done"], false);
  EXPECT_EQ(lines[2]["message"]["tool_calls"][0]["function"]["arguments"], light_call().call.arguments);
  EXPECT_EQ(lines[3]["done"], true);
  EXPECT_EQ(lines[3]["done_reason"], "stop");
  EXPECT_EQ(lines[3]["prompt_eval_duration"], 500000000);
  EXPECT_EQ(lines[3]["eval_count"], 3);
}

TEST(Ollama, WholeReplyOfGenerate) {
  auto asked = parse_generate(wire_json(R"({"prompt": "u", "stream": false})"), kMoment);
  ASSERT_TRUE(asked.ok());
  FinishedAnswer answer = text_answer("Hi");
  answer.reasoning = "hm";
  answer.finish = FinishReason::kContextFull;
  const Json reply = asked->asked.writer->reply({answer});
  EXPECT_EQ(reply["response"], "Hi");
  EXPECT_EQ(reply["thinking"], "hm");
  EXPECT_EQ(reply["done_reason"], "length");
  EXPECT_EQ(reply["created_at"], "2025-11-28T06:40:00Z");
}

TEST(Ollama, Listings) {
  const Json tags = tags_json({{{"m", {}, "embedded", "gguf", 42}, 0}});
  EXPECT_EQ(tags["models"][0]["model"], "m");
  EXPECT_EQ(tags["models"][0]["size"], 42);
  EXPECT_EQ(tags["models"][0]["modified_at"], "1970-01-01T00:00:00Z");
  const Json ps = ps_json({{"m", 42, 1, {}, {}}});
  EXPECT_EQ(ps["models"][0]["name"], "m");
  EXPECT_EQ(ps["models"][0]["expires_at"].get<std::string>().substr(0, 2), "99") << "stays for good";
  EXPECT_TRUE(parse_show(wire_json(R"({"name": "m"})")).ok());
  EXPECT_FALSE(parse_show(wire_json(R"({})")).ok());
}

// A model without a vocabulary head writes nothing, whatever chat format its files carry.
TEST(Ollama, CapabilitiesFollowTheHead) {
  ModelSummary summary;
  summary.has_tokenizer = true;
  const auto capabilities = [&](ModelConfig::Head head) {
    summary.config.head = head;
    return show_json({}, summary)["capabilities"];
  };
  using Head = ModelConfig::Head;
  EXPECT_EQ(capabilities(Head::kVocabulary), Json({"completion", "tools", "thinking"}));
  EXPECT_EQ(capabilities(Head::kNone), Json::array({"embedding"}));
  EXPECT_EQ(capabilities(Head::kClasses), Json::array());
  summary.has_tokenizer = false;  // texts are all that this wire takes
  for (const Head head : {Head::kVocabulary, Head::kNone}) EXPECT_EQ(capabilities(head), Json::array());
}

TEST(Ollama, Embed) {
  EXPECT_EQ(parse_embed(wire_json(R"({"input": "a"})"))->request.inputs.size(), 1u);
  EXPECT_TRUE(parse_embed(wire_json(R"({"input": ["a", "b"]})"))->request.truncate);
  EXPECT_FALSE(parse_embed(wire_json(R"({"input": [1]})")).ok());
  EXPECT_EQ(embed_json({{{0.5f}}, 3}, "e", 0.001, 0)["embeddings"][0][0], 0.5f);
}

TEST(Ollama, Durations) {
  const auto ms = [](const Json& value) {
    const auto duration = wire::parse_duration(value);
    return duration ? duration->count() : INT64_MIN;
  };
  EXPECT_EQ(ms("5m"), 300000);
  EXPECT_EQ(ms("1h30m"), 5400000);
  EXPECT_EQ(ms(10), 10000);
  EXPECT_EQ(ms("0"), 0);
  EXPECT_EQ(ms(-1), -1);
  EXPECT_EQ(ms("-5m"), -1);
  EXPECT_EQ(ms(1e300), -1) << "longer than anybody lives is for good";
  for (const Json& bad : {Json("soon"), Json(""), Json("5 m"), Json(true), Json("1e9"), Json("m")})
    EXPECT_EQ(ms(bad), INT64_MIN) << bad;
}

}  // namespace
}  // namespace ink::ollama
