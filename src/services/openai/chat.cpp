// See services/openai/chat.h.
#include "services/openai/chat.h"

#include <chrono>
#include <set>

#include "services/openai/fields.h"
#include "services/openai/parts.h"

namespace ink::openai {
namespace {

struct ChatShape {
  int choices = 1;
  bool include_usage = false;
  bool return_progress = false;
  bool logprobs = false;
};

class ChatWriter final : public wire::AnswerWriter {
 public:
  ChatWriter(const wire::Moment& moment, const ChatShape& shape) : moment_(moment), shape_(shape) {}

  Json reply(const std::vector<FinishedAnswer>& answers) override {
    model_ = answers.front().model;
    Json json = head("chat.completion");
    for (size_t i = 0; i < answers.size(); ++i) json["choices"].push_back(choice_json(i, answers[i]));
    json["usage"] = usage_json(answers, shape_.choices);
    json["timings"] = timings_json(answers.front());
    return json;
  }

  std::string_view content_type() const override { return "text/event-stream"; }

  std::string start(const std::string& model, int64_t) override {
    model_ = model;
    return role(0);
  }

  std::string event(int choice, const AnswerEvent& event) override {
    if (event.kind == AnswerEvent::Kind::kPromptProgress) return progress(choice, event);
    std::string text = role(choice);
    Json delta = Json::object();
    if (event.kind == AnswerEvent::Kind::kReasoning) delta["reasoning_content"] = event.text;
    if (event.kind == AnswerEvent::Kind::kContent) delta["content"] = event.text;
    if (event.kind == AnswerEvent::Kind::kToolCall) return text + tool_call(choice, event);
    const bool with_tokens = shape_.logprobs && event.kind == AnswerEvent::Kind::kContent;
    return text +
           chunk(choice, std::move(delta), with_tokens ? chat_logprobs(event.tokens) : Json(), nullptr);
  }

  std::string finish_choice(int choice, const FinishedAnswer& answer) override {
    return role(choice) + chunk(choice, Json::object(), nullptr, finish_reason(answer));
  }

  std::string end(const std::vector<FinishedAnswer>& answers) override {
    std::string text;
    if (shape_.include_usage) {
      Json last = head("chat.completion.chunk");
      last["usage"] = usage_json(answers, shape_.choices);
      last["timings"] = timings_json(answers.front());
      text = wire::server_sent_event(last);
    }
    return text + "data: [DONE]\n\n";
  }

  std::string failure(const wire::Failure& failure) override {
    return wire::server_sent_event(error_body(failure)) + "data: [DONE]\n\n";
  }
  std::string ping() override { return ": ping\n\n"; }

 private:
  Json head(const char* object) const {
    return {{"id", "chatcmpl-" + moment_.id},
            {"object", object},
            {"created", moment_.unix_seconds},
            {"model", model_},
            {"choices", Json::array()}};
  }

  Json choice_json(size_t index, const FinishedAnswer& answer) const {
    Json message{{"role", "assistant"}, {"content", answer.content}, {"refusal", nullptr}};
    if (answer.content.empty() && !answer.tool_calls.empty()) message["content"] = nullptr;
    if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
    if (!answer.tool_calls.empty()) message["tool_calls"] = tool_calls_json(answer.tool_calls);
    Json choice{{"index", index}, {"message", std::move(message)}, {"logprobs", nullptr}};
    if (shape_.logprobs) choice["logprobs"] = chat_logprobs(answer.tokens);
    choice["finish_reason"] = finish_reason(answer);
    return choice;
  }

  std::string chunk(int choice, Json delta, Json logprobs, Json finish) const {
    Json json = head("chat.completion.chunk");
    json["choices"].push_back({{"index", choice},
                               {"delta", std::move(delta)},
                               {"logprobs", std::move(logprobs)},
                               {"finish_reason", std::move(finish)}});
    if (shape_.include_usage) json["usage"] = nullptr;
    return wire::server_sent_event(json);
  }

  // Each choice begins with its role.
  std::string role(int choice) {
    if (!begun_.insert(choice).second) return "";
    return chunk(choice, {{"role", "assistant"}, {"content", ""}}, nullptr, nullptr);
  }

  // The id and the name come first, alone; the arguments follow as one piece of JSON.
  std::string tool_call(int choice, const AnswerEvent& event) const {
    Json opening{{"index", event.call_index},
                 {"id", event.call_id},
                 {"type", "function"},
                 {"function", {{"name", event.call.name}, {"arguments", ""}}}};
    Json rest{{"index", event.call_index}, {"function", {{"arguments", wire::arguments_text(event.call)}}}};
    return chunk(choice, {{"tool_calls", Json::array({std::move(opening)})}}, nullptr, nullptr) +
           chunk(choice, {{"tool_calls", Json::array({std::move(rest)})}}, nullptr, nullptr);
  }

  std::string progress(int choice, const AnswerEvent& event) {
    if (!shape_.return_progress) return "";
    const auto spent = std::chrono::steady_clock::now() - began_;
    Json json = head("chat.completion.chunk");
    json["choices"].push_back(
        {{"index", choice}, {"delta", Json::object()}, {"logprobs", nullptr}, {"finish_reason", nullptr}});
    json["prompt_progress"] = {
        {"total", event.total},
        {"processed", event.done},
        {"time_ms", std::chrono::duration_cast<std::chrono::milliseconds>(spent).count()}};
    return role(choice) + wire::server_sent_event(json);
  }

  wire::Moment moment_;
  ChatShape shape_;
  std::string model_;
  std::set<int> begun_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

void read_logprobs(wire::Fields& fields, ChatShape& shape, SamplingRequest& sampling) {
  fields.flag("logprobs", shape.logprobs);
  int64_t top = 0;
  fields.integer("top_logprobs", 0, kMaxAlternatives, top);
  if (top > 0 && !shape.logprobs)
    fields.fail({ErrorKind::kInvalid, "top_logprobs", "logprobs to be true", "false", ""});
  if (shape.logprobs) sampling.logprobs = static_cast<int32_t>(top);
}

void refuse_other_media(wire::Fields& fields) {
  const Json* modalities = fields.array("modalities");
  if (modalities == nullptr) return;
  for (const Json& one : *modalities) {
    if (one != "text")
      return fields.fail(wire::not_supported("modalities", wire::describe(one) + ": answers are text here"));
  }
}

}  // namespace

Result<wire::Asked> parse_chat(const Json& body, const wire::Moment& moment) {
  wire::Fields fields(body, "");
  AnswerRequest request;
  ChatShape shape;
  wire::Asked asked;
  int64_t choices = 1;
  read_generation(fields, request);
  read_messages(fields, request);
  read_tools(fields, request);
  read_reply_format(fields, request);
  read_thinking(fields, request);
  read_logprobs(fields, shape, request.sampling);
  refuse_other_media(fields);
  fields.integer("n", 1, kMaxChoices, choices);
  fields.flag("stream", asked.stream);
  fields.flag("return_progress", shape.return_progress);
  if (const Json* options = fields.object("stream_options")) {
    wire::Fields inner(*options, "stream_options");
    inner.flag("include_usage", shape.include_usage);
    if (!inner.ok()) fields.fail(inner.error());
  }
  if (!fields.ok()) return fields.error();
  shape.choices = static_cast<int>(choices);
  asked.choices = shape.choices;
  asked.requests.push_back(std::move(request));
  asked.writer = std::make_unique<ChatWriter>(moment, shape);
  return asked;
}

}  // namespace ink::openai
