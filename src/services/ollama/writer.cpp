// See services/ollama/writer.h.
#include "services/ollama/writer.h"

#include "services/ollama/chat.h"

namespace ink::ollama {
namespace {

int64_t nanoseconds(double seconds) { return static_cast<int64_t>(seconds * 1e9); }

Json call_json(const AnsweredCall& one, size_t index) {
  return {{"id", one.id},
          {"function", {{"index", index}, {"name", one.call.name}, {"arguments", one.call.arguments}}}};
}

void add_numbers(Json& line, const FinishedAnswer& answer) {
  const AnswerUsage& usage = answer.usage;
  line["done"] = true;
  line["done_reason"] = answer.was_cut() ? "length" : "stop";
  line["total_duration"] = nanoseconds(usage.load_seconds + usage.queued_seconds + usage.prompt_seconds +
                                       usage.generation_seconds);
  line["load_duration"] = nanoseconds(usage.load_seconds);
  line["prompt_eval_count"] = usage.prompt_tokens;
  line["prompt_eval_cached_count"] = usage.cached_tokens;
  line["prompt_eval_duration"] = nanoseconds(usage.prompt_seconds);
  line["eval_count"] = usage.completion_tokens;
  line["eval_duration"] = nanoseconds(usage.generation_seconds);
  if (!answer.cache_explanation.is_null()) line["cache_explanation"] = answer.cache_explanation;
}

class LineWriter final : public wire::AnswerWriter {
 public:
  LineWriter(const wire::Moment& moment, const WriterShape& shape) : moment_(moment), shape_(shape) {}

  Json reply(const std::vector<FinishedAnswer>& answers) override {
    const FinishedAnswer& answer = answers.front();
    model_ = answer.model;
    Json calls = Json::array();
    for (size_t i = 0; i < answer.tool_calls.size(); ++i) calls.push_back(call_json(answer.tool_calls[i], i));
    Json whole = line(answer.content, answer.reasoning, std::move(calls));
    if (shape_.logprobs) whole["logprobs"] = wire::tokens_json(answer.tokens);
    add_numbers(whole, answer);
    return whole;
  }

  std::string_view content_type() const override { return "application/x-ndjson"; }
  std::string start(const std::string& model, int64_t) override {
    model_ = model;
    return "";
  }

  std::string event(int, const AnswerEvent& event) override {
    Json piece;
    switch (event.kind) {
      case AnswerEvent::Kind::kReasoning:
        piece = line("", event.text, Json::array());
        break;
      case AnswerEvent::Kind::kContent:
        piece = line(event.text, "", Json::array());
        if (shape_.logprobs) piece["logprobs"] = wire::tokens_json(event.tokens);
        break;
      case AnswerEvent::Kind::kToolCall:
        piece = line(
            "", "",
            Json::array({call_json({event.call_id, event.call}, static_cast<size_t>(event.call_index))}));
        break;
      case AnswerEvent::Kind::kPromptProgress:
        return "";
    }
    piece["done"] = false;
    return wire::json_line(piece);
  }

  std::string finish_choice(int, const FinishedAnswer& answer) override {
    Json last = line("", "", Json::array());
    add_numbers(last, answer);
    return wire::json_line(last);
  }
  std::string end(const std::vector<FinishedAnswer>&) override { return ""; }
  std::string failure(const wire::Failure& failure) override { return wire::json_line(error_body(failure)); }
  std::string ping() override { return ""; }  // a line would be taken for a piece of the answer

 private:
  Json line(const std::string& content, const std::string& thinking, Json calls) const {
    Json json{{"model", model_}, {"created_at", wire::utc_time(moment_.unix_seconds)}};
    Json message{{"role", "assistant"}, {"content", content}};
    if (!thinking.empty()) message["thinking"] = thinking;
    if (!calls.empty()) message["tool_calls"] = std::move(calls);
    if (shape_.chat) {
      json["message"] = std::move(message);
      return json;
    }
    json["response"] = content;
    for (const char* key : {"thinking", "tool_calls"}) {
      if (message.contains(key)) json[key] = message[key];
    }
    return json;
  }

  wire::Moment moment_;
  WriterShape shape_;
  std::string model_;
};

}  // namespace

Json error_body(const wire::Failure& failure) { return {{"error", failure.message}}; }

Json load_reply(const std::string& model, const AskedOllama& asked, bool chat, const wire::Moment& moment) {
  Json json{{"model", model}, {"created_at", wire::utc_time(moment.unix_seconds)}};
  if (chat) {
    json["message"] = {{"role", "assistant"}, {"content", ""}};
  } else {
    json["response"] = "";
  }
  json["done"] = true;
  json["done_reason"] = asked.unload ? "unload" : "load";
  return json;
}

std::unique_ptr<wire::AnswerWriter> make_line_writer(const wire::Moment& moment, const WriterShape& shape) {
  return std::make_unique<LineWriter>(moment, shape);
}

}  // namespace ink::ollama
