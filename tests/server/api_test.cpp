// The endpoints in this process, with a responder that only remembers: the embedded model, all dialects.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <future>
#include <thread>

#include "server/api/routes.h"
#include "tests/services/dialect_samples.h"
#include "tests/services/served_models.h"

namespace ink::server {
namespace {

using ::ink::testing::events_in;
using ::ink::testing::lines_in;
using ::ink::testing::wire_json;

class FakeResponder final : public Responder {
 public:
  void reply(Reply reply) override {
    EXPECT_FALSE(replied_ || begun_) << "one reply, and no stream beside it";
    replied_ = true;
    answer = std::move(reply);
  }
  void begin(int status, std::string content_type) override {
    EXPECT_FALSE(replied_ || begun_);
    begun_ = true;
    answer.status = status;
    answer.content_type = std::move(content_type);
  }
  bool write(std::string_view bytes) override {
    EXPECT_TRUE(begun_ && !ended_);
    stream += bytes;
    if (leaves_after > 0 && stream.size() > leaves_after) gone_ = true;
    return !gone_;
  }
  void end() override {
    EXPECT_TRUE(begun_ && !ended_);
    ended_ = true;
  }
  const std::atomic<bool>& gone() const override { return gone_; }
  void leave() { gone_ = true; }
  bool finished() const { return replied_ || ended_; }
  Json json() const { return wire_json(answer.body); }

  Reply answer;
  std::string stream;
  size_t leaves_after = 0;  // bytes; 0: stays

 private:
  bool replied_ = false, begun_ = false, ended_ = false;
  std::atomic<bool> gone_{false};
};

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() : library_(::ink::testing::small_library()) {
    state_.metrics = std::make_shared<Metrics>();
    state_.version = "0.1.0";
    routes_ = api_routes(library_, state_);
  }

  // A path with one {name} at its end takes what stands there.
  void ask(FakeResponder& responder, const std::string& method, const std::string& path,
           const std::string& body) {
    Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.id = "id" + std::to_string(++count_);
    for (const Route& route : routes_) {
      const size_t brace = route.path.find('{');
      const bool exact = route.path == path;
      const bool fits = brace != std::string::npos && path.starts_with(route.path.substr(0, brace));
      if (route.method != method || !(exact || fits)) continue;
      if (!exact)
        request.query[route.path.substr(brace + 1, route.path.size() - brace - 2)] = path.substr(brace);
      return route.endpoint(request, responder);
    }
    FAIL() << "no route " << method << " " << path;
  }
  Json post(const std::string& path, const std::string& body, int status = 200) {
    FakeResponder responder;
    ask(responder, "POST", path, body);
    EXPECT_TRUE(responder.finished());
    EXPECT_EQ(responder.answer.status, status) << responder.answer.body;
    return responder.json();
  }
  Json get(const std::string& path, int status = 200) {
    FakeResponder responder;
    ask(responder, "GET", path, "");
    EXPECT_EQ(responder.answer.status, status) << responder.answer.body;
    return responder.json();
  }
  std::string stream(const std::string& path, const std::string& body, const char* content_type) {
    FakeResponder responder;
    ask(responder, "POST", path, body);
    EXPECT_TRUE(responder.finished());
    EXPECT_EQ(responder.answer.content_type, content_type) << responder.answer.body;
    return responder.stream;
  }

  ModelLibrary library_;
  ApiState state_;
  std::vector<Route> routes_;
  int count_ = 0;
};

const std::string kUser = R"("messages": [{"role": "user", "content": "What can you do for me?"}])";
const std::string kGreedy = R"("temperature": 0, "max_tokens": 12, )";

TEST_F(ApiTest, HealthModelsVersion) {
  EXPECT_EQ(get("/health")["status"], "ok");
  EXPECT_EQ(get("/v1/models")["data"][0]["id"], "pocket-assistant");
  EXPECT_EQ(get("/v1/models/pocket-assistant")["object"], "model");
  EXPECT_EQ(get("/v1/models/absent", 404)["error"]["code"], "model_not_found");
  EXPECT_EQ(get("/api/version")["version"], "0.1.0");
  EXPECT_EQ(get("/api/tags")["models"][0]["name"], "pocket-assistant");
}

TEST_F(ApiTest, StreamJoinedIsTheWholeAnswer) {
  const Json whole = post("/v1/chat/completions", "{" + kGreedy + kUser + "}");
  const Json& message = whole["choices"][0]["message"];
  const auto events = events_in(
      stream("/v1/chat/completions",
             R"({"stream": true, "stream_options": {"include_usage": true}, )" + kGreedy + kUser + "}",
             "text/event-stream"));
  ASSERT_GT(events.size(), 3u);
  EXPECT_EQ(events.front()["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(events.back(), "[DONE]");
  std::string content, finish;
  for (const Json& event : events) {
    if (!event.is_object() || event["choices"].empty()) continue;
    content += event["choices"][0]["delta"].value("content", "");
    if (event["choices"][0]["finish_reason"].is_string()) finish = event["choices"][0]["finish_reason"];
  }
  EXPECT_EQ(content, message["content"].is_null() ? "" : message["content"].get<std::string>());
  EXPECT_EQ(finish, whole["choices"][0]["finish_reason"]);
  EXPECT_EQ(events[events.size() - 2]["usage"]["completion_tokens"], whole["usage"]["completion_tokens"]);
}

TEST_F(ApiTest, ToolsInEveryDialect) {
  const std::string schema =
      R"({"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"],
    "additionalProperties": false})";
  const std::string function =
      R"({"type": "function", "function": {"name": "light", "parameters": )" + schema + "}}";
  const std::string limit = R"("max_tokens": 60, "temperature": 0, )";
  const Json chat =
      post("/v1/chat/completions", "{" + limit + kUser + R"(, "tools": [)" + function +
                                       R"(], "tool_choice": "required", "parallel_tool_calls": false})");
  const Json& call = chat["choices"][0]["message"]["tool_calls"][0]["function"];
  EXPECT_EQ(call["name"], "light");
  EXPECT_TRUE(wire_json(call["arguments"].get<std::string>())["on"].is_boolean());
  EXPECT_EQ(chat["choices"][0]["finish_reason"], "tool_calls");
  const Json message = post(
      "/v1/messages", "{" + limit + kUser + R"(, "tools": [{"name": "light", "input_schema": )" + schema +
                          R"(}], "tool_choice": {"type": "any", "disable_parallel_tool_use": true}})");
  EXPECT_EQ(message["stop_reason"], "tool_use");
  EXPECT_TRUE(message["content"].back()["input"]["on"].is_boolean());
  const Json response =
      post("/v1/responses", R"({"input": "light on", "temperature": 0, "max_output_tokens": 60,
    "tools": [{"type": "function", "name": "light", "parameters": )" +
                                schema + R"(}], "tool_choice": "required"})");
  EXPECT_EQ(response["output"].back()["type"], "function_call");
}

TEST_F(ApiTest, StructuredOutput) {
  const Json reply =
      post("/v1/chat/completions", R"({"max_tokens": 60, "temperature": 0, "reasoning_effort": "none",
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object",
    "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 3}}, "required": ["n"],
    "additionalProperties": false}}}, )" +
                                       kUser + "}");
  const Json value = wire_json(reply["choices"][0]["message"]["content"].get<std::string>());
  EXPECT_GE(value["n"].get<int>(), 1);
  const Json refused = post("/v1/chat/completions",
                            R"({"response_format": {"type": "json_schema", "json_schema":
    {"name": "n", "schema": {"type": "object", "unevaluatedProperties": {"type": "string"}}}}, )" +
                                kUser + "}",
                            400);
  EXPECT_NE(refused["error"]["message"].get<std::string>().find("unevaluatedProperties"), std::string::npos);
}

TEST_F(ApiTest, CompletionsChoicesAndPrompts) {
  const Json reply =
      post("/v1/completions", R"({"prompt": ["One", "Two"], "n": 2, "max_tokens": 3, "seed": 1})");
  ASSERT_EQ(reply["choices"].size(), 4u);
  EXPECT_EQ(reply["usage"]["completion_tokens"], 12);
  const auto events = events_in(stream("/v1/completions",
                                       R"({"prompt": "One", "n": 2, "max_tokens": 3, "stream": true,
    "stream_options": {"include_usage": true}})",
                                       "text/event-stream"));
  ASSERT_GT(events.size(), 2u);
  EXPECT_EQ(events[events.size() - 2]["usage"]["completion_tokens"], 6);
  EXPECT_TRUE(events[events.size() - 2].contains("timings"));
  EXPECT_EQ(events.back(), "[DONE]");
}

TEST_F(ApiTest, ResponsesAreKeptAndForgotten) {
  const Json first =
      post("/v1/responses", R"({"input": "What can you do?", "max_output_tokens": 8, "temperature": 0})");
  const std::string id = first["id"];
  EXPECT_EQ(get("/v1/responses/" + id)["id"], id);
  const Json second =
      post("/v1/responses",
           R"({"input": "And more?", "max_output_tokens": 4, "previous_response_id": ")" + id + "\"}");
  EXPECT_GT(second["usage"]["input_tokens"], first["usage"]["input_tokens"]);
  FakeResponder responder;
  ask(responder, "DELETE", "/v1/responses/" + id, "");
  EXPECT_EQ(responder.json()["deleted"], true);
  EXPECT_EQ(get("/v1/responses/" + id, 404)["error"]["type"], "not_found_error");
}

TEST_F(ApiTest, AnthropicStreamAndCount) {
  const auto events =
      events_in(stream("/v1/messages", R"({"stream": true, )" + kGreedy + kUser + "}", "text/event-stream"));
  EXPECT_EQ(events.front()["type"], "message_start");
  EXPECT_EQ(events.back()["type"], "message_stop");
  const Json count = post("/v1/messages/count_tokens", "{" + kUser + "}");
  EXPECT_EQ(count["input_tokens"], events.front()["message"]["usage"]["input_tokens"]);
}

TEST_F(ApiTest, OllamaLinesAndLoading) {
  const auto lines = lines_in(stream(
      "/api/chat", R"({"think": false, "options": {"num_predict": 6, "temperature": 0}, )" + kUser + "}",
      "application/x-ndjson"));
  EXPECT_EQ(lines.back()["done"], true);
  EXPECT_EQ(lines.back()["eval_count"], 6);
  EXPECT_EQ(post("/api/generate", R"({"model": "pocket-assistant"})")["done_reason"], "load");
  EXPECT_EQ(get("/api/ps")["models"][0]["name"], "pocket-assistant");
  EXPECT_EQ(post("/api/generate", R"({"keep_alive": 0})")["done_reason"], "unload");
  EXPECT_TRUE(get("/api/ps")["models"].empty());
  EXPECT_TRUE(post("/api/show", R"({"model": "pocket-assistant:latest"})")["model_info"].is_object());
  EXPECT_TRUE(post("/api/show", R"({"model": "../etc/passwd"})", 404)["error"].is_string())
      << "a path is no name";
}

TEST_F(ApiTest, EmbeddingsInBothDialects) {
  const Json reply = post("/v1/embeddings", R"({"input": ["one", "two"]})");
  ASSERT_EQ(reply["data"].size(), 2u);
  const Json same = post("/api/embed", R"({"input": "two"})");
  EXPECT_EQ(same["embeddings"][0], reply["data"][1]["embedding"]);
}

TEST_F(ApiTest, MistakesInEachDialectsShape) {
  EXPECT_EQ(post("/v1/chat/completions", "{", 400)["error"]["type"], "invalid_request_error");
  EXPECT_EQ(post("/v1/chat/completions", "[]", 400)["error"]["param"], "body");
  EXPECT_EQ(post("/v1/messages", "nonsense", 400)["type"], "error");
  EXPECT_TRUE(post("/api/chat", "\xff", 400)["error"].is_string());
  EXPECT_EQ(post("/v1/chat/completions", R"({"model": "absent", )" + kUser + "}", 404)["error"]["code"],
            "model_not_found");
  EXPECT_EQ(post("/v1/messages", R"({"model": "absent", )" + kUser + "}", 404)["error"]["type"],
            "not_found_error");
  const std::string large =
      R"({"messages": [{"role": "user", "content": ")" + std::string(20000, 'x') + "\"}]}";
  const Json length = post("/v1/chat/completions", large, 400)["error"];
  EXPECT_EQ(length["code"], "context_length_exceeded");
  EXPECT_NE(length["message"].get<std::string>().find("512"), std::string::npos);
  EXPECT_TRUE(post("/v1/messages", large, 400)["error"]["message"].get<std::string>().starts_with(
      "prompt is too long"));
  EXPECT_EQ(post("/v1/embeddings", R"({"input": ")" + std::string(20000, 'x') + "\"}", 400)["error"]["code"],
            "context_length_exceeded");
}

TEST_F(ApiTest, AClientThatLeavesEndsItsAnswer) {
  FakeResponder responder;
  responder.leaves_after = 600;
  ask(responder, "POST", "/v1/chat/completions",
      R"({"stream": true, "max_tokens": 300, "temperature": 1, "stop": [], )" + kUser + "}");
  EXPECT_TRUE(responder.finished());
  const auto model = library_.acquire("");
  ASSERT_TRUE(model.ok());
  EXPECT_EQ((*model)->scheduler->usage().sequences, 0) << "its memory is free again";
}

TEST(ApiLoading, AClientThatLeavesDoesNotWaitForItsModel) {
  std::promise<void> begun, go_on;
  auto options = ::ink::testing::small_library();
  options.progress = [&, first = true](const std::string&, double) mutable {
    if (std::exchange(first, false)) {
      begun.set_value();
      go_on.get_future().wait();
    }
  };
  ModelLibrary library(options);
  ApiState state;
  const std::vector<Route> routes = api_routes(library, state);
  std::array<FakeResponder, 5> responders;
  std::vector<std::future<void>> asked;
  const std::pair<const char*, std::string> requests[] = {
      {"/v1/chat/completions", "{" + kUser + "}"},
      {"/v1/messages/count_tokens", R"({"max_tokens": 1, )" + kUser + "}"},
      {"/v1/embeddings", R"({"input": "one"})"},
      {"/api/embed", R"({"input": "one"})"},
      {"/api/generate", "{}"}};
  for (const auto& [path, body] : requests) {
    Request request;
    request.method = "POST";
    request.path = path;
    request.body = body;
    const auto route = std::find_if(routes.begin(), routes.end(),
                                    [&](const Route& one) { return one.path == request.path; });
    ASSERT_NE(route, routes.end());
    asked.push_back(std::async(std::launch::async, [&, route, request, place = asked.size()] {
      route->endpoint(request, responders[place]);
    }));
  }
  begun.get_future().wait();
  EXPECT_EQ(asked.front().wait_for(std::chrono::milliseconds(30)), std::future_status::timeout);
  for (FakeResponder& responder : responders) responder.leave();
  for (auto& one : asked) {
    EXPECT_EQ(one.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  }
  go_on.set_value();
  for (const FakeResponder& responder : responders) {
    EXPECT_TRUE(responder.finished());
    EXPECT_EQ(responder.answer.status, 503) << responder.answer.body;
  }
  for (int i = 0; i < 2000 && library.loaded().empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(library.loaded().size(), 1u) << "the loading goes on for who asks next";
}

}  // namespace
}  // namespace ink::server
