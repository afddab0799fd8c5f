// Answers of POST /v1/responses, whole and as events (services/openai/responses.h). A stream opens one output
// item after the other: reasoning, message, calls; each is closed with its whole content before the next one
// opens, and the last event brings the whole response again. Events are numbered as they are made: two of
// them may not be made within one expression.
#include "services/answers/random_id.h"
#include "services/openai/responses.h"

namespace ink::openai {
namespace {

Json response_usage(const AnswerUsage& usage) {
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

Json reasoning_item(const std::string& id, const std::string& text, const char* status) {
  Json content = Json::array();
  if (!text.empty()) content.push_back({{"type", "reasoning_text"}, {"text", text}});
  return {{"id", id},
          {"type", "reasoning"},
          {"summary", Json::array()},
          {"content", content},
          {"status", status}};
}

Json text_part(const std::string& text, Json logprobs) {
  return {{"type", "output_text"},
          {"text", text},
          {"annotations", Json::array()},
          {"logprobs", logprobs.is_null() ? Json::array() : std::move(logprobs)}};
}

Json message_item(const std::string& id, Json content, const char* status) {
  return {{"id", id},
          {"type", "message"},
          {"status", status},
          {"role", "assistant"},
          {"content", std::move(content)}};
}

Json call_item(const std::string& id, const AnsweredCall& one, const std::string& arguments,
               const char* status) {
  return {{"id", id},          {"type", "function_call"}, {"status", status},
          {"call_id", one.id}, {"name", one.call.name},   {"arguments", arguments}};
}

class ResponseWriter final : public wire::AnswerWriter {
 public:
  ResponseWriter(const wire::Moment& moment, ResponseShape shape, ResponseStore* store)
      : moment_(moment), shape_(std::move(shape)), store_(store) {}

  Json reply(const std::vector<FinishedAnswer>& answers) override {
    const FinishedAnswer& answer = answers.front();
    model_ = answer.model;
    if (!answer.reasoning.empty())
      output_.push_back(reasoning_item(random_id("rs_"), answer.reasoning, "completed"));
    if (!answer.content.empty() || answer.tool_calls.empty()) {
      Json part = text_part(answer.content, logprobs(answer.tokens));
      output_.push_back(message_item(random_id("msg_"), Json::array({std::move(part)}),
                                     answer.was_cut() ? "incomplete" : "completed"));
    }
    for (const AnsweredCall& one : answer.tool_calls)
      output_.push_back(call_item(random_id("fc_"), one, wire::arguments_text(one.call), "completed"));
    return finish(answer);
  }

  std::string_view content_type() const override { return "text/event-stream"; }

  std::string start(const std::string& model, int64_t) override {
    model_ = model;
    const Json response = body("in_progress");
    std::string text = say("response.created", {{"response", response}});
    return text += say("response.in_progress", {{"response", response}});
  }

  std::string event(int, const AnswerEvent& event) override {
    switch (event.kind) {
      case AnswerEvent::Kind::kReasoning:
        return grow(Open::kReasoning, "response.reasoning_text.delta", event);
      case AnswerEvent::Kind::kContent:
        return grow(Open::kMessage, "response.output_text.delta", event);
      case AnswerEvent::Kind::kToolCall:
        return call({event.call_id, event.call});
      case AnswerEvent::Kind::kPromptProgress:
        break;
    }
    return "";
  }

  std::string finish_choice(int, const FinishedAnswer& answer) override {
    std::string text;
    if (open_ == Open::kNone && answer.content.empty() && answer.tool_calls.empty())
      text += open(Open::kMessage);
    return text += close(answer.was_cut() ? "incomplete" : "completed");
  }

  std::string end(const std::vector<FinishedAnswer>& answers) override {
    const char* type = answers.front().was_cut() ? "response.incomplete" : "response.completed";
    return say(type, {{"response", finish(answers.front())}});
  }

  std::string failure(const wire::Failure& failure) override {
    Json response = body("failed");
    response["error"] = {{"code", "server_error"}, {"message", failure.message}};
    return say("response.failed", {{"response", std::move(response)}});
  }
  std::string ping() override { return ": ping\n\n"; }

 private:
  enum class Open { kNone, kReasoning, kMessage };

  Json logprobs(const std::vector<AnsweredToken>& tokens) const {
    return shape_.logprobs ? wire::tokens_json(tokens) : Json::array();
  }

  std::string say(const std::string& type, const Json& fields) {
    Json event{{"type", type}, {"sequence_number", sequence_++}};
    event.update(fields);
    return wire::server_sent_event(type, event);
  }

  Json body(const char* status) const {
    Json response{{"id", "resp_" + moment_.id},
                  {"object", "response"},
                  {"created_at", moment_.unix_seconds},
                  {"status", status},
                  {"error", nullptr},
                  {"incomplete_details", nullptr},
                  {"model", model_},
                  {"output", output_},
                  {"usage", nullptr}};
    response.update(shape_.echo);
    return response;
  }

  // The whole response; it is kept for those who go on with it.
  Json finish(const FinishedAnswer& answer) {
    Json response = body(answer.was_cut() ? "incomplete" : "completed");
    if (answer.was_cut()) response["incomplete_details"] = {{"reason", "max_output_tokens"}};
    response["usage"] = response_usage(answer.usage);
    if (!answer.cache_explanation.is_null())
      response["usage"]["input_tokens_details"]["cache_explanation"] = answer.cache_explanation;
    if (store_ == nullptr || !shape_.store) return response;
    ChatMessage said;
    said.role = Role::kAssistant;
    said.content = answer.content;
    if (!answer.reasoning.empty()) said.reasoning = answer.reasoning;
    for (const AnsweredCall& one : answer.tool_calls) said.tool_calls.push_back(one.call);
    std::vector<ChatMessage> conversation = shape_.conversation;
    conversation.push_back(std::move(said));
    store_->keep({response, std::move(conversation)});
    return response;
  }

  Json place() const {
    return {{"item_id", item_id_}, {"output_index", output_.size()}, {"content_index", 0}};
  }

  std::string grow(Open kind, const char* type, const AnswerEvent& event) {
    std::string text;
    if (open_ != kind) {
      text = close();
      text += open(kind);
    }
    text_ += event.text;
    Json fields = place();
    fields["delta"] = event.text;
    if (kind == Open::kMessage) {
      fields["logprobs"] = logprobs(event.tokens);
      for (const Json& token : fields["logprobs"]) tokens_.push_back(token);
    }
    return text += say(type, fields);
  }

  std::string open(Open kind) {
    open_ = kind;
    text_.clear();
    tokens_ = Json::array();
    item_id_ = random_id(kind == Open::kMessage ? "msg_" : "rs_");
    const bool message = kind == Open::kMessage;
    Json item = message ? message_item(item_id_, Json::array(), "in_progress")
                        : reasoning_item(item_id_, "", "in_progress");
    std::string said =
        say("response.output_item.added", {{"output_index", output_.size()}, {"item", std::move(item)}});
    Json fields = place();
    fields["part"] = part();
    return said += say("response.content_part.added", fields);
  }

  Json part() const {
    return open_ == Open::kMessage ? text_part(text_, tokens_)
                                   : Json{{"type", "reasoning_text"}, {"text", text_}};
  }

  std::string close(const char* status = "completed") {
    if (open_ == Open::kNone) return "";
    const bool message = open_ == Open::kMessage;
    Json done = place();
    done["text"] = text_;
    if (message) done["logprobs"] = tokens_;
    std::string said = say(message ? "response.output_text.done" : "response.reasoning_text.done", done);
    Json fields = place();
    fields["part"] = part();
    said += say("response.content_part.done", fields);
    Json item = message ? message_item(item_id_, Json::array({part()}), status)
                        : reasoning_item(item_id_, text_, status);
    said += say("response.output_item.done", {{"output_index", output_.size()}, {"item", item}});
    output_.push_back(std::move(item));
    open_ = Open::kNone;
    return said;
  }

  std::string call(const AnsweredCall& one) {
    std::string said = close();
    item_id_ = random_id("fc_");
    const std::string arguments = wire::arguments_text(one.call);
    const Json where{{"item_id", item_id_}, {"output_index", output_.size()}};
    said += say("response.output_item.added",
                {{"output_index", output_.size()}, {"item", call_item(item_id_, one, "", "in_progress")}});
    Json delta = where;
    delta["delta"] = arguments;
    said += say("response.function_call_arguments.delta", delta);
    Json done = where;
    done["name"] = one.call.name;
    done["arguments"] = arguments;
    said += say("response.function_call_arguments.done", done);
    Json item = call_item(item_id_, one, arguments, "completed");
    said += say("response.output_item.done", {{"output_index", output_.size()}, {"item", item}});
    output_.push_back(std::move(item));
    return said;
  }

  wire::Moment moment_;
  ResponseShape shape_;
  ResponseStore* store_;
  std::string model_;
  Json output_ = Json::array();  // items that are whole
  int64_t sequence_ = 0;
  Open open_ = Open::kNone;
  std::string item_id_;
  std::string text_;             // of the item that is open
  Json tokens_ = Json::array();  // its log probabilities
};

}  // namespace

std::unique_ptr<wire::AnswerWriter> make_response_writer(const wire::Moment& moment, ResponseShape shape,
                                                         ResponseStore* store) {
  return std::make_unique<ResponseWriter>(moment, std::move(shape), store);
}

}  // namespace ink::openai
