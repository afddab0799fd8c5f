// OpenAI's wire, JSON in and JSON out: no model.
#include <gtest/gtest.h>

#include "services/openai/chat.h"
#include "services/openai/completions.h"
#include "services/openai/models.h"
#include "services/openai/parts.h"
#include "services/openai/responses.h"
#include "services/openai/retrieval.h"
#include "tests/services/dialect_samples.h"

namespace ink::openai {
namespace {

using ::ink::testing::answered_token;
using ::ink::testing::call_event;
using ::ink::testing::event_of;
using ::ink::testing::events_in;
using ::ink::testing::kMoment;
using ::ink::testing::light_call;
using ::ink::testing::RefusedRequest;
using ::ink::testing::text_answer;
using ::ink::testing::wire_json;

AnswerRequest chat_request(std::string_view body) {
  auto asked = parse_chat(wire_json(body), kMoment);
  EXPECT_TRUE(asked.ok()) << asked.error().message();
  return asked.ok() ? asked->requests.front() : AnswerRequest();
}

std::string text_of(const ChatMessage& message) {
  const auto* text = std::get_if<std::string>(&message.content);
  return text == nullptr ? "(none)" : *text;
}

TEST(OpenAiChat, ReadsWhatClientsSend) {
  const auto request = chat_request(R"({
    "model": "m", "temperature": 0.5, "top_p": 0.9, "top_k": 5, "min_p": 0.1, "seed": -1, "stop": ["a", "b"],
    "max_completion_tokens": 7, "logit_bias": {"5": -100, "6": 2}, "logprobs": true, "top_logprobs": 2,
    "presence_penalty": 1, "frequency_penalty": -1, "user": "u", "metadata": {"x": 1}, "unheard_of": [1],
    "keep_alive": "10m", "priority": "voice", "chat_template_kwargs": {"enable_thinking": false},
    "messages": [{"role": "system", "content": "S"},
                 {"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]}]})");
  EXPECT_EQ(request.model, "m");
  EXPECT_FLOAT_EQ(*request.sampling.temperature, 0.5f);
  EXPECT_EQ(*request.sampling.top_k, 5);
  EXPECT_EQ(*request.sampling.seed, UINT64_MAX);
  EXPECT_EQ(request.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request.max_tokens, 7);
  EXPECT_EQ(request.sampling.logprobs, 2);
  ASSERT_EQ(request.sampling.logit_bias.size(), 2u);
  EXPECT_TRUE(std::isinf(request.sampling.logit_bias[0].second));
  EXPECT_EQ(request.enable_thinking, false);
  EXPECT_EQ(request.priority, Priority::kVoice);
  EXPECT_EQ(*request.keep_alive, std::chrono::minutes(10));
  ASSERT_EQ(request.messages.size(), 2u);
  EXPECT_EQ(text_of(request.messages[1]), "A\nB");
}

TEST(OpenAiChat, TakesThinkingBackUnderItsThreeNames) {
  for (const char* name : {"reasoning_content", "reasoning", "thinking"}) {
    const auto request = chat_request(R"({"messages": [{"role": "user", "content": "u"},
      {"role": "assistant", "content": null, ")" +
                                      std::string(name) + R"(": "hm"}]})");
    ASSERT_EQ(request.messages.size(), 2u);
    EXPECT_EQ(request.messages[1].reasoning, "hm") << name;
    EXPECT_EQ(text_of(request.messages[1]), "") << "no content is an empty one";
  }
}

TEST(OpenAiChat, UnpacksArgumentsOfEarlierCalls) {
  const auto request = chat_request(R"({"messages": [{"role": "user", "content": "u"},
    {"role": "assistant", "tool_calls": [{"id": "c", "type": "function",
      "function": {"name": "f", "arguments": "{\"a\":1}"}}]},
    {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "done"}]}]})");
  ASSERT_EQ(request.messages.size(), 3u);
  EXPECT_EQ(request.messages[1].tool_calls.front().arguments, (Json{{"a", 1}}));
  EXPECT_EQ(text_of(request.messages[2]), "done");
}

TEST(OpenAiChat, ReadsToolsAndTheFormOfAReply) {
  const std::string tools = R"("messages": [{"role": "user", "content": "u"}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": true}}])";
  EXPECT_EQ(chat_request("{" + tools + "}").tool_choice, ToolChoice::kAuto);
  EXPECT_EQ(chat_request("{" + tools + R"(, "tool_choice": "required"})").tool_choice, ToolChoice::kRequired);
  EXPECT_EQ(chat_request("{" + tools + R"(, "tool_choice": "none"})").tool_choice, ToolChoice::kNone);
  EXPECT_FALSE(chat_request("{" + tools + R"(, "parallel_tool_calls": false})").parallel_tool_calls);
  const auto named =
      chat_request("{" + tools + R"(, "tool_choice": {"type": "function", "function": {"name": "f"}}})");
  EXPECT_EQ(named.named_tool, "f");
  const std::string user = R"({"messages": [{"role": "user", "content": "u"}], )";
  EXPECT_EQ(chat_request(user + R"("response_format": {"type": "json_object"}})").reply.kind,
            ReplyFormat::Kind::kJsonObject);
  const auto schema = chat_request(user + R"("response_format": {"type": "json_schema",
    "json_schema": {"name": "n", "strict": true, "schema": {"type": "object"}}}})");
  EXPECT_EQ(schema.reply.kind, ReplyFormat::Kind::kJsonSchema);
  EXPECT_EQ(schema.reply.schema, (Json{{"type", "object"}}));
  EXPECT_EQ(chat_request(user + R"("grammar": "root ::= \"a\""})").reply.gbnf, "root ::= \"a\"");
}

TEST(OpenAiChat, EffortIsThinkingAndItsBudget) {
  const std::string user = R"({"messages": [{"role": "user", "content": "u"}], "reasoning_effort": ")";
  EXPECT_EQ(chat_request(user + "none\"}").enable_thinking, false);
  EXPECT_EQ(chat_request(user + "low\"}").enable_thinking, true);
  EXPECT_GT(chat_request(user + "low\"}").thinking_budget, 0);
  EXPECT_EQ(chat_request(user + "high\"}").thinking_budget, -1);
}

TEST(OpenAiChat, RefusesWithTheField) {
  const RefusedRequest cases[] = {
      {R"([])", "body", "object"},
      {R"({})", "messages", "array of messages"},
      {R"({"messages": []})", "messages", "at least one"},
      {R"({"messages": "u"})", "messages", "array"},
      {R"({"messages": [{"role": "wizard", "content": "u"}]})", "messages[0].role", "wizard"},
      {R"({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]})",
       "messages[0].content[0]", "image_url"},
      {R"({"messages": [{"role": "user", "content": 5}]})", "messages[0].content", "text"},
      {R"({"messages": [{"role": "user", "content": "u"}], "temperature": "hot"})", "temperature", "number"},
      {R"({"messages": [{"role": "user", "content": "u"}], "temperature": 3})", "temperature", "0 to 2"},
      {R"({"messages": [{"role": "user", "content": "u"}], "max_tokens": -5})", "max_tokens", "-5"},
      {R"({"messages": [{"role": "user", "content": "u"}], "max_tokens": 99999999999999999999})",
       "max_tokens", ""},
      {R"({"messages": [{"role": "user", "content": "u"}], "max_tokens": 1.5})", "max_tokens", "1.5"},
      {R"({"messages": [{"role": "user", "content": "u"}], "n": 0})", "n", "from 1"},
      {R"({"messages": [{"role": "user", "content": "u"}], "top_k": -9223372036854775808})", "top_k", ""},
      {R"({"messages": [{"role": "user", "content": "u"}], "seed": 1.5})", "seed", "64"},
      {R"({"messages": [{"role": "user", "content": "u"}], "stream": "yes"})", "stream", "true or false"},
      {R"({"messages": [{"role": "user", "content": "u"}], "stop": [1]})", "stop", "texts"},
      {R"({"messages": [{"role": "user", "content": "u"}], "logit_bias": {"x": 1}})", "logit_bias", "ids"},
      {R"({"messages": [{"role": "user", "content": "u"}], "logit_bias": {"1": 101}})", "logit_bias.1",
       "100"},
      {R"({"messages": [{"role": "user", "content": "u"}], "top_logprobs": 3})", "top_logprobs", "logprobs"},
      {R"({"messages": [{"role": "user", "content": "u"}], "tools": [{"type": "retrieval"}]})",
       "tools[0].type", ""},
      {R"({"messages": [{"role": "user", "content": "u"}], "tool_choice": "required"})", "tool_choice",
       "tools"},
      {R"({"messages": [{"role": "user", "content": "u"}], "functions": [{"name": "f"}]})", "functions",
       "tools"},
      {R"({"messages": [{"role": "user", "content": "u"}], "response_format": {"type": "xml"}})",
       "response_format.type", "json_schema"},
      {R"({"messages": [{"role": "user", "content": "u"}], "response_format": {"type": "json_schema"}})",
       "response_format.schema", "schema"},
      {R"({"messages": [{"role": "user", "content": "u"}], "reasoning_effort": "extreme"})",
       "reasoning_effort", ""},
      {R"({"messages": [{"role": "user", "content": "u"}], "chat_template_kwargs": {"enable_thinking": 1}})",
       "chat_template_kwargs.enable_thinking", "true or false"},
      {R"({"messages": [{"role": "user", "content": "u"}], "modalities": ["text", "audio"]})", "modalities",
       ""},
      {R"({"messages": [{"role": "user", "content": "u"}], "continue_final_message": true})",
       "continue_final_message", "assistant"},
      {R"({"messages": [{"role": "user", "content": "u"}], "stream_options": {"include_usage": 3}})",
       "stream_options.include_usage", ""},
  };
  for (const RefusedRequest& one : cases) {
    const auto asked = parse_chat(wire_json(one.body), kMoment);
    ASSERT_FALSE(asked.ok()) << one.body;
    const Json error = error_body(wire::failure_of(asked.error(), wire::Stage::kRequest))["error"];
    EXPECT_EQ(error["param"], one.param) << one.body;
    EXPECT_EQ(error["type"], "invalid_request_error") << one.body;
    EXPECT_NE(error["message"].get<std::string>().find(one.words), std::string::npos) << error["message"];
  }
}

TEST(OpenAiChat, WholeReply) {
  auto asked = parse_chat(wire_json(R"({"messages": [{"role": "user", "content": "u"}], "n": 2})"), kMoment);
  ASSERT_TRUE(asked.ok());
  FinishedAnswer calls = text_answer("");
  calls.reasoning = "hm";
  calls.tool_calls = {light_call()};
  FinishedAnswer cut = text_answer("Gr\xc3\xbc\xc3\x9f");
  cut.finish = FinishReason::kLength;
  const Json reply = asked->writer->reply({calls, cut});
  EXPECT_EQ(reply["object"], "chat.completion");
  EXPECT_EQ(reply["id"], "chatcmpl-abc123");
  const Json& message = reply["choices"][0]["message"];
  EXPECT_TRUE(message["content"].is_null());
  EXPECT_EQ(message["reasoning_content"], "hm");
  EXPECT_EQ(wire_json(message["tool_calls"][0]["function"]["arguments"].get<std::string>()),
            light_call().call.arguments);
  EXPECT_EQ(reply["choices"][0]["finish_reason"], "tool_calls");
  EXPECT_EQ(reply["choices"][1]["finish_reason"], "length");
  EXPECT_EQ(reply["usage"]["prompt_tokens"], 10) << "one prompt for both choices";
  EXPECT_EQ(reply["usage"]["completion_tokens"], 6);
  EXPECT_EQ(reply["usage"]["prompt_tokens_details"]["cached_tokens"], 4);
}

TEST(OpenAiChat, Stream) {
  auto asked = parse_chat(wire_json(R"({"messages": [{"role": "user", "content": "u"}], "stream": true,
    "stream_options": {"include_usage": true}})"),
                          kMoment);
  ASSERT_TRUE(asked.ok());
  wire::AnswerWriter& writer = *asked->writer;
  FinishedAnswer answer = text_answer("Hi");
  answer.tool_calls = {light_call()};
  std::string stream = writer.start("tiny", 10);
  stream += writer.event(0, event_of(AnswerEvent::Kind::kReasoning, "hm"));
  stream += writer.event(0, event_of(AnswerEvent::Kind::kContent, "Hi"));
  stream += writer.ping();
  stream += writer.event(0, call_event(light_call(), 0));
  stream += writer.finish_choice(0, answer);
  stream += writer.end({answer});
  const auto events = events_in(stream);
  ASSERT_EQ(events.size(), 8u) << stream;
  EXPECT_EQ(events[0]["choices"][0]["delta"]["role"], "assistant") << "the role comes first";
  EXPECT_EQ(events[1]["choices"][0]["delta"]["reasoning_content"], "hm");
  EXPECT_EQ(events[2]["choices"][0]["delta"], (Json{{"content", "Hi"}}));
  const Json& first = events[3]["choices"][0]["delta"]["tool_calls"][0];
  EXPECT_EQ(first["id"], "call_xyz");
  EXPECT_EQ(first["function"]["name"], "set_light");
  const Json& second = events[4]["choices"][0]["delta"]["tool_calls"][0];
  EXPECT_FALSE(second.contains("id"));
  EXPECT_EQ(wire_json(first["function"]["arguments"].get<std::string>() +
                      second["function"]["arguments"].get<std::string>()),
            light_call().call.arguments);
  EXPECT_EQ(events[5]["choices"][0]["finish_reason"], "tool_calls");
  EXPECT_TRUE(events[6]["choices"].empty());
  EXPECT_EQ(events[6]["usage"]["total_tokens"], 13);
  EXPECT_TRUE(events[6].contains("timings"));
  EXPECT_EQ(events[7], "[DONE]");
}

TEST(OpenAiChat, LogProbabilities) {
  auto asked = parse_chat(
      wire_json(R"({"messages": [{"role": "user", "content": "u"}], "logprobs": true, "top_logprobs": 1})"),
      kMoment);
  ASSERT_TRUE(asked.ok());
  FinishedAnswer answer = text_answer("é");
  answer.tokens.push_back(answered_token("\xc3", -0.5f));
  answer.tokens.push_back(answered_token("\xa9", 0));
  const Json content = asked->writer->reply({answer})["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(content.size(), 2u);
  EXPECT_EQ(content[0]["bytes"], Json::array({0xc3}));
  EXPECT_EQ(content[0]["top_logprobs"][0]["logprob"], -0.5f);
  EXPECT_EQ(json_text(content[0]["token"]), "\"\xef\xbf\xbd\"") << "half a character is U+FFFD in text";
}

TEST(OpenAiCompletions, PromptsOfAllKinds) {
  const auto requests = [](std::string_view body) {
    auto asked = parse_completion(wire_json(body), kMoment);
    EXPECT_TRUE(asked.ok()) << body;
    return asked.ok() ? asked->requests : std::vector<AnswerRequest>();
  };
  EXPECT_EQ(std::get<std::string>(*requests(R"({"prompt": "a"})")[0].raw), "a");
  EXPECT_EQ(requests(R"({"prompt": "a"})")[0].max_tokens, 16);
  EXPECT_EQ(requests(R"({"prompt": ["a", "b"]})").size(), 2u);
  EXPECT_EQ(std::get<1>(*requests(R"({"prompt": [1, 2]})")[0].raw), (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(requests(R"({"prompt": [[1, 2], [3]]})").size(), 2u);
  const RefusedRequest cases[] = {
      {R"({})", "prompt", "a prompt"},
      {R"({"prompt": []})", "prompt", "1 to"},
      {R"({"prompt": [1, -2]})", "prompt", "-2"},
      {R"({"prompt": [1, 2.5]})", "prompt[0]", ""},
      {R"({"prompt": "a", "echo": true})", "echo", "repeated"},
      {R"({"prompt": "a", "suffix": "z"})", "suffix", "middle"},
      {R"({"prompt": "a", "best_of": 3})", "best_of", "ranked"},
      {R"({"prompt": "a", "logprobs": 21})", "logprobs", "20"},
  };
  for (const RefusedRequest& one : cases) {
    const auto asked = parse_completion(wire_json(one.body), kMoment);
    ASSERT_FALSE(asked.ok()) << one.body;
    EXPECT_EQ(asked.error().where, one.param);
    EXPECT_NE(asked.error().message().find(one.words), std::string::npos) << asked.error().message();
  }
}

TEST(OpenAiCompletions, ReplyAndStream) {
  auto asked = parse_completion(wire_json(R"({"prompt": ["a", "b"], "n": 2, "logprobs": 1})"), kMoment);
  ASSERT_TRUE(asked.ok());
  FinishedAnswer answer = text_answer("好x");
  answer.tokens.push_back(answered_token("好", -1));
  answer.tokens.push_back(answered_token("x", -2));
  const Json reply = asked->writer->reply({answer, answer, answer, answer});
  ASSERT_EQ(reply["choices"].size(), 4u);
  EXPECT_EQ(reply["choices"][3]["index"], 3);
  EXPECT_EQ(reply["choices"][0]["logprobs"]["text_offset"], Json::array({0, 1})) << "in characters";
  EXPECT_EQ(reply["usage"]["prompt_tokens"], 20) << "two prompts";
  wire::AnswerWriter& writer = *asked->writer;
  std::string stream = writer.start("tiny", 1);
  stream += writer.event(2, event_of(AnswerEvent::Kind::kContent, "x"));
  stream += writer.finish_choice(2, answer);
  stream += writer.end({answer});
  const auto events = events_in(stream);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0]["choices"][0]["text"], "x");
  EXPECT_EQ(events[0]["choices"][0]["index"], 2);
  EXPECT_EQ(events[1]["choices"][0]["finish_reason"], "stop");
}

TEST(OpenAiResponses, InputItemsBecomeTurns) {
  const auto messages = read_input(wire_json(R"([
    {"role": "user", "content": [{"type": "input_text", "text": "u"}]},
    {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A"}]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{\"a\": 1}"},
    {"type": "function_call_output", "call_id": "c", "output": "done"}])"));
  ASSERT_TRUE(messages.ok()) << messages.error().message();
  ASSERT_EQ(messages->size(), 3u);
  EXPECT_EQ((*messages)[1].reasoning, "hm");
  EXPECT_EQ(text_of((*messages)[1]), "A");
  EXPECT_EQ((*messages)[1].tool_calls[0].arguments, (Json{{"a", 1}}));
  EXPECT_EQ((*messages)[2].role, Role::kTool);
  const auto picture = read_input(wire_json(R"([{"role": "user", "content": [{"type": "input_image"}]}])"));
  ASSERT_FALSE(picture.ok());
  EXPECT_EQ(picture.error().where, "input[0].content[0]");
}

TEST(OpenAiResponses, PreviousResponseGoesOn) {
  ResponseStore store;
  auto first = parse_response(wire_json(R"({"input": "one", "instructions": "be kind"})"), kMoment, &store);
  ASSERT_TRUE(first.ok()) << first.error().message();
  ASSERT_EQ(first->requests[0].messages.size(), 2u);
  const Json reply = first->writer->reply({text_answer("two")});
  EXPECT_EQ(reply["status"], "completed");
  EXPECT_EQ(reply["output"][0]["content"][0]["text"], "two");
  EXPECT_EQ(reply["usage"]["input_tokens_details"]["cached_tokens"], 4);
  const std::string id = reply["id"].get<std::string>();
  auto second = parse_response(Json{{"input", "three"}, {"previous_response_id", id}}, {"next", 1}, &store);
  ASSERT_TRUE(second.ok()) << second.error().message();
  const auto& messages = second->requests[0].messages;
  ASSERT_EQ(messages.size(), 3u) << "the instructions are those of each request";
  EXPECT_EQ(text_of(messages[1]), "two");
  EXPECT_EQ(second->writer->reply({text_answer("four")})["previous_response_id"], id);
  EXPECT_TRUE(store.forget(id));
  const auto gone = parse_response(Json{{"input", "three"}, {"previous_response_id", id}}, kMoment, &store);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(wire::failure_of(gone.error(), wire::Stage::kRequest).status, 404);
}

TEST(OpenAiResponses, StreamClosesWhatItOpens) {
  ResponseStore store;
  auto asked = parse_response(wire_json(R"({"input": "one", "stream": true})"), kMoment, &store);
  ASSERT_TRUE(asked.ok());
  wire::AnswerWriter& writer = *asked->writer;
  FinishedAnswer answer = text_answer("Hi");
  answer.reasoning = "hm";
  answer.tool_calls = {light_call()};
  std::string stream = writer.start("tiny", 3);
  stream += writer.event(0, event_of(AnswerEvent::Kind::kReasoning, "hm"));
  stream += writer.event(0, event_of(AnswerEvent::Kind::kContent, "H"));
  stream += writer.event(0, event_of(AnswerEvent::Kind::kContent, "i"));
  stream += writer.event(0, call_event(light_call(), 0));
  stream += writer.finish_choice(0, answer);
  stream += writer.end({answer});
  const auto events = events_in(stream);
  int open = 0;
  std::string text;
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i]["sequence_number"], i);
    const std::string type = events[i]["type"];
    open += type == "response.output_item.added" ? 1 : type == "response.output_item.done" ? -1 : 0;
    EXPECT_LE(open, 1);
    if (type == "response.output_text.delta") text += events[i]["delta"].get<std::string>();
  }
  EXPECT_EQ(open, 0);
  EXPECT_EQ(text, "Hi");
  EXPECT_EQ(events.front()["type"], "response.created");
  const Json& last = events.back();
  EXPECT_EQ(last["type"], "response.completed");
  ASSERT_EQ(last["response"]["output"].size(), 3u);
  EXPECT_EQ(last["response"]["output"][2]["type"], "function_call");
  EXPECT_EQ(last["response"]["output"][2]["call_id"], "call_xyz");
  EXPECT_TRUE(store.find("resp_abc123").has_value());
}

TEST(OpenAiResponses, StoreIsBounded) {
  ResponseStore store(100000, 3);
  for (int i = 0; i < 5; ++i) store.keep({Json{{"id", "r" + std::to_string(i)}}, {}});
  EXPECT_FALSE(store.find("r1"));
  EXPECT_TRUE(store.find("r4"));
  store.keep({Json{{"id", "large"}, {"text", std::string(60000, 'x')}}, {}});
  EXPECT_FALSE(store.find("large")) << "larger than the whole store";
  store.keep({Json{{"id", "half"}, {"text", std::string(45000, 'x')}}, {}});
  store.keep({Json{{"id", "other"}, {"text", std::string(45000, 'x')}}, {}});
  EXPECT_FALSE(store.find("half"));
  EXPECT_TRUE(store.find("other"));
}

TEST(OpenAiRetrieval, Embeddings) {
  auto call =
      parse_embedding(wire_json(R"({"input": ["a", "b"], "encoding_format": "base64", "dimensions": 8})"));
  ASSERT_TRUE(call.ok());
  EXPECT_EQ(call->request.inputs.size(), 2u);
  const Json reply = embedding_reply(*call, {{{1.0f, -2.0f}}, 5}, "e");
  EXPECT_EQ(reply["data"][0]["embedding"], "AACAPwAAAMA=");
  EXPECT_EQ(reply["usage"]["total_tokens"], 5);
  EXPECT_EQ(parse_embedding(wire_json(R"({"input": [1, 2]})"))->request.inputs.size(), 1u);
  for (const char* body :
       {R"({})", R"({"input": ""})", R"({"input": []})", R"({"input": [{}]})", R"({"input": [-1]})",
        R"({"input": "a", "dimensions": 0})", R"({"input": "a", "encoding_format": "hex"})"}) {
    EXPECT_FALSE(parse_embedding(wire_json(body)).ok()) << body;
  }
}

TEST(OpenAiRetrieval, Rerank) {
  auto call = parse_rerank(wire_json(
      R"({"query": "q", "documents": ["a", {"text": "b"}, "c"], "top_n": 2, "return_documents": true})"));
  ASSERT_TRUE(call.ok());
  const Json reply = rerank_reply(*call, {{0.1f, 0.9f, 0.5f}, 12}, "r", "id");
  ASSERT_EQ(reply["results"].size(), 2u);
  EXPECT_EQ(reply["results"][0]["index"], 1);
  EXPECT_EQ(reply["results"][0]["document"]["text"], "b");
  EXPECT_EQ(reply["results"][1]["index"], 2);
  EXPECT_FALSE(parse_rerank(wire_json(R"({"query": "q", "documents": []})")).ok());
  EXPECT_FALSE(parse_rerank(wire_json(R"({"query": "q"})")).ok());
}

TEST(OpenAiErrors, EachKindHasItsStatus) {
  const auto failure = [](ErrorKind kind, const char* where, wire::Stage stage) {
    return wire::failure_of({kind, where, "w", "g", ""}, stage);
  };
  using wire::Stage;
  EXPECT_EQ(failure(ErrorKind::kInvalid, "n", Stage::kRequest).status, 400);
  EXPECT_EQ(failure(ErrorKind::kTooLarge, "tools", Stage::kRequest).status, 400);
  EXPECT_EQ(failure(ErrorKind::kTooLarge, "memory", Stage::kModel).status, 503);
  EXPECT_EQ(failure(ErrorKind::kTooLarge, "sequences", Stage::kAnswer).status, 503);
  EXPECT_EQ(failure(ErrorKind::kNotFound, "m", Stage::kModel).status, 404);
  const Json length = error_body(failure(ErrorKind::kTooLarge, "context", Stage::kRequest))["error"];
  EXPECT_EQ(length["code"], "context_length_exceeded");
  EXPECT_EQ(error_body(failure(ErrorKind::kNotFound, "m", Stage::kModel))["error"]["code"],
            "model_not_found");
}

}  // namespace
}  // namespace ink::openai
