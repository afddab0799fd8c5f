// See services/openai/chat.h.
#include "services/openai/chat.h"

#include <chrono>
#include <set>

#include "services/openai/choices_writer.h"
#include "services/openai/fields.h"
#include "services/openai/parts.h"

namespace ink::openai {
namespace {

constexpr ChoicesWords kWordsOfChat = {"chatcmpl-", "chat.completion", "chat.completion.chunk"};

class ChatWriter final : public ChoicesWriter {
 public:
  ChatWriter(const wire::Moment& moment, const ChoicesShape& shape, bool returns_progress)
      : ChoicesWriter(kWordsOfChat, moment, shape), returns_progress_(returns_progress) {}

  std::string start(const std::string& model, int64_t prompt_tokens) override {
    ChoicesWriter::start(model, prompt_tokens);
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
    Json logprobs = with_tokens ? chat_logprobs(event.tokens) : Json();
    return text + say(delta_json(choice, std::move(delta), std::move(logprobs), nullptr));
  }

  std::string finish_choice(int choice, const FinishedAnswer& answer) override {
    return role(choice) + say(delta_json(choice, Json::object(), nullptr, finish_reason(answer)));
  }

 private:
  Json choice_json(size_t index, const FinishedAnswer& answer) override {
    Json message{{"role", "assistant"}, {"content", answer.content}, {"refusal", nullptr}};
    if (answer.content.empty() && !answer.tool_calls.empty()) message["content"] = nullptr;
    if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
    if (!answer.tool_calls.empty()) message["tool_calls"] = tool_calls_json(answer.tool_calls);
    Json choice{{"index", index}, {"message", std::move(message)}, {"logprobs", nullptr}};
    if (shape_.logprobs) choice["logprobs"] = chat_logprobs(answer.tokens);
    choice["finish_reason"] = finish_reason(answer);
    return choice;
  }

  static Json delta_json(int choice, Json delta, Json logprobs, Json finish) {
    return {{"index", choice},
            {"delta", std::move(delta)},
            {"logprobs", std::move(logprobs)},
            {"finish_reason", std::move(finish)}};
  }

  // Each choice begins with its role.
  std::string role(int choice) {
    if (!begun_.insert(choice).second) return "";
    return say(delta_json(choice, {{"role", "assistant"}, {"content", ""}}, nullptr, nullptr));
  }

  // The id and the name come first, alone; the arguments follow as one piece of JSON.
  std::string tool_call(int choice, const AnswerEvent& event) const {
    Json opening{{"index", event.call_index},
                 {"id", event.call_id},
                 {"type", "function"},
                 {"function", {{"name", event.call.name}, {"arguments", ""}}}};
    Json rest{{"index", event.call_index}, {"function", {{"arguments", wire::arguments_text(event.call)}}}};
    return say(delta_json(choice, {{"tool_calls", Json::array({std::move(opening)})}}, nullptr, nullptr)) +
           say(delta_json(choice, {{"tool_calls", Json::array({std::move(rest)})}}, nullptr, nullptr));
  }

  std::string progress(int choice, const AnswerEvent& event) {
    if (!returns_progress_) return "";
    const auto spent = std::chrono::steady_clock::now() - began_;
    Json json = chunk(delta_json(choice, Json::object(), nullptr, nullptr));
    json["prompt_progress"] = {
        {"total", event.total},
        {"processed", event.done},
        {"time_ms", std::chrono::duration_cast<std::chrono::milliseconds>(spent).count()}};
    return role(choice) + wire::server_sent_event(json);
  }

  bool returns_progress_;
  std::set<int> begun_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

void read_logprobs(wire::Fields& fields, ChoicesShape& shape, SamplingRequest& sampling) {
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
  ChoicesShape shape;
  bool returns_progress = false;
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
  read_stream(fields, asked.stream, shape.include_usage);
  fields.flag("return_progress", returns_progress);
  if (!fields.ok()) return fields.error();
  shape.choices = asked.choices = static_cast<int>(choices);
  asked.requests.push_back(std::move(request));
  asked.writer = std::make_unique<ChatWriter>(moment, shape, returns_progress);
  return asked;
}

}  // namespace ink::openai
