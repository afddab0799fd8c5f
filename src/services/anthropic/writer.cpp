// See services/anthropic/writer.h. input_tokens leaves out what came from the cache: the three numbers of the
// input add up, as they do there.
#include "services/anthropic/writer.h"

#include "services/anthropic/messages.h"

namespace ink::anthropic {
namespace {

using Kind = wire::Failure::Kind;

const char* error_type(const wire::Failure& failure) {
  switch (failure.kind) {
    case Kind::kNotFound:
      return "not_found_error";
    case Kind::kBusy:
      return "overloaded_error";
    case Kind::kInternal:
      return "api_error";
    case Kind::kInvalid:
    case Kind::kContextLength:
      break;
  }
  return "invalid_request_error";
}

std::string stop_reason(const FinishedAnswer& answer) {
  if (answer.was_cut()) return "max_tokens";
  if (!answer.stop_string.empty()) return "stop_sequence";
  return answer.tool_calls.empty() ? "end_turn" : "tool_use";
}

Json stop_sequence(const FinishedAnswer& answer) {
  return answer.stop_string.empty() ? Json() : Json(answer.stop_string);
}

// "call_…" in this wire's manner.
std::string tool_use_id(const std::string& id) {
  return id.starts_with("call_") ? "toolu_" + id.substr(5) : id;
}

Json input_of(const ToolCall& call) { return call.arguments.is_object() ? call.arguments : Json::object(); }

Json usage_of(const FinishedAnswer& answer) {
  const AnswerUsage& usage = answer.usage;
  Json json{{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
            {"cache_creation_input_tokens", 0},
            {"cache_read_input_tokens", usage.cached_tokens},
            {"output_tokens", usage.completion_tokens}};
  if (!answer.cache_explanation.is_null()) json["cache_explanation"] = answer.cache_explanation;
  return json;
}

class MessageWriter final : public wire::AnswerWriter {
 public:
  explicit MessageWriter(const wire::Moment& moment) : moment_(moment) {}

  Json reply(const std::vector<FinishedAnswer>& answers) override {
    const FinishedAnswer& answer = answers.front();
    Json message = head(answer.model);
    Json& content = message["content"];
    if (!answer.reasoning.empty())
      content.push_back({{"type", "thinking"}, {"thinking", answer.reasoning}, {"signature", ""}});
    if (!answer.content.empty()) content.push_back({{"type", "text"}, {"text", answer.content}});
    for (const AnsweredCall& one : answer.tool_calls) {
      content.push_back({{"type", "tool_use"},
                         {"id", tool_use_id(one.id)},
                         {"name", one.call.name},
                         {"input", input_of(one.call)}});
    }
    message["stop_reason"] = stop_reason(answer);
    message["stop_sequence"] = stop_sequence(answer);
    message["usage"] = usage_of(answer);
    return message;
  }

  std::string_view content_type() const override { return "text/event-stream"; }

  std::string start(const std::string& model, int64_t prompt_tokens) override {
    Json message = head(model);
    message["usage"] = {{"input_tokens", prompt_tokens},
                        {"cache_creation_input_tokens", 0},
                        {"cache_read_input_tokens", 0},
                        {"output_tokens", 0}};
    return say("message_start", {{"message", std::move(message)}}) + ping();
  }

  std::string event(int, const AnswerEvent& event) override {
    switch (event.kind) {
      case AnswerEvent::Kind::kReasoning:
        return grow("thinking", {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}},
                    {{"type", "thinking_delta"}, {"thinking", event.text}});
      case AnswerEvent::Kind::kContent:
        return grow("text", {{"type", "text"}, {"text", ""}}, {{"type", "text_delta"}, {"text", event.text}});
      case AnswerEvent::Kind::kToolCall:
        return call(event);
      case AnswerEvent::Kind::kPromptProgress:
        break;
    }
    return "";
  }

  std::string finish_choice(int, const FinishedAnswer& answer) override {
    Json change{{"stop_reason", stop_reason(answer)}, {"stop_sequence", stop_sequence(answer)}};
    std::string text = close();
    return text += say("message_delta", {{"delta", std::move(change)}, {"usage", usage_of(answer)}});
  }
  std::string end(const std::vector<FinishedAnswer>&) override { return say("message_stop", Json::object()); }
  std::string failure(const wire::Failure& failure) override {
    return wire::server_sent_event("error", error_body(failure));
  }
  std::string ping() override { return say("ping", Json::object()); }

 private:
  Json head(const std::string& model) const {
    return {{"id", "msg_" + moment_.id}, {"type", "message"},
            {"role", "assistant"},       {"model", model},
            {"content", Json::array()},  {"stop_reason", nullptr},
            {"stop_sequence", nullptr},  {"usage", nullptr}};
  }

  static std::string say(const std::string& type, const Json& fields) {
    Json event{{"type", type}};
    event.update(fields);
    return wire::server_sent_event(type, event);
  }
  std::string delta(Json change) const {
    return say("content_block_delta", {{"index", index_}, {"delta", std::move(change)}});
  }
  // A delta belongs to the block that is open when it is made: first the one, then the other.
  std::string grow(const std::string& kind, Json block, Json change) {
    std::string text = open(kind, std::move(block));
    return text += delta(std::move(change));
  }
  std::string open(const std::string& kind, Json block) {
    if (open_ == kind) return "";
    std::string text = close();
    open_ = kind;
    return text += say("content_block_start", {{"index", index_}, {"content_block", std::move(block)}});
  }
  std::string close() {
    if (open_.empty()) return "";
    std::string text;
    if (open_ == "thinking") text = delta({{"type", "signature_delta"}, {"signature", ""}});
    text += say("content_block_stop", {{"index", index_}});
    open_.clear();
    ++index_;
    return text;
  }
  std::string call(const AnswerEvent& event) {
    std::string text = close();
    text += open("tool_use", {{"type", "tool_use"},
                              {"id", tool_use_id(event.call_id)},
                              {"name", event.call.name},
                              {"input", Json::object()}});
    text += delta({{"type", "input_json_delta"}, {"partial_json", python_json(input_of(event.call))}});
    return text += close();
  }

  wire::Moment moment_;
  std::string open_;  // the kind of the block that is open
  int index_ = 0;
};

}  // namespace

Json error_body(const wire::Failure& failure) {
  std::string message = failure.message;
  // The words by which this wire's clients know that they have to shorten a conversation.
  if (failure.kind == Kind::kContextLength) message = "prompt is too long: " + message;
  return {{"type", "error"}, {"error", {{"type", error_type(failure)}, {"message", std::move(message)}}}};
}

std::unique_ptr<wire::AnswerWriter> make_message_writer(const wire::Moment& moment) {
  return std::make_unique<MessageWriter>(moment);
}

}  // namespace ink::anthropic
