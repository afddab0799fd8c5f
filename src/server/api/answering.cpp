// See server/api/answering.h.
#include "server/api/answering.h"

#include <chrono>

#include "services/answers/answerer.h"

namespace ink::server {
namespace {

using Clock = std::chrono::steady_clock;

// Silence after which somebody between us and the client might close the connection.
constexpr auto kPingAfter = std::chrono::seconds(15);
constexpr const char* kRetryAfterSeconds = "2";

double spent_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// All answers to one request, one after the other.
class Answering {
 public:
  Answering(const ApiParts& parts, wire::Asked asked, Responder& responder, ErrorBody error_body)
      : parts_(parts), asked_(std::move(asked)), responder_(responder), error_body_(error_body) {}

  void run() {
    if (!prepare()) return;
    const size_t choices = static_cast<size_t>(asked_.choices);
    for (size_t i = 0; i < prepared_.size() * choices; ++i) {
      if (!run_choice(*prepared_[i / choices], static_cast<int>(i))) return;
    }
    if (asked_.stream) {
      begin();
      say(asked_.writer->end(answers_));
      responder_.end();
    } else {
      reply_json(responder_, asked_.writer->reply(answers_));
    }
  }

 private:
  bool fail(const Error& error, wire::Stage stage) {
    const wire::Failure failure = wire::failure_of(error, stage);
    if (!begun_) {
      reply_failure(responder_, failure, error_body_);
    } else {
      say(asked_.writer->failure(failure));
      responder_.end();
    }
    return false;
  }

  bool prepare() {
    const auto start = Clock::now();
    const AnswerRequest& first = asked_.requests.front();
    auto model = parts_.library.acquire(first.model, first.keep_alive, &responder_.gone());
    if (!model.ok()) return fail(model.error(), wire::Stage::kModel);
    load_seconds_ = spent_since(start);
    model_ = *model;
    for (AnswerRequest& request : asked_.requests) {
      request.explain_cache = parts_.state.explain_cache;
      auto prepared = prepare_answer(*model, request);
      if (!prepared.ok()) return fail(prepared.error(), wire::Stage::kRequest);
      prepared_.push_back(std::move(*prepared));
    }
    return true;
  }

  bool run_choice(const PreparedAnswer& prepared, int choice) {
    const auto on_event = [&](const AnswerEvent& event) { return hear(choice, event); };
    auto finished = prepared.run(on_event, responder_.gone());
    if (!finished.ok()) return fail(finished.error(), wire::Stage::kAnswer);
    finished->usage.load_seconds = choice == 0 ? load_seconds_ : 0;
    if (parts_.state.metrics != nullptr) parts_.state.metrics->count_answer(model_->name, finished->usage);
    if (finished->finish == FinishReason::kCancelled && responder_.gone())
      return fail({ErrorKind::kCancelled, "answer", "", "stopped", ""}, wire::Stage::kAnswer);
    if (asked_.stream) {
      begin();
      if (!say(asked_.writer->finish_choice(choice, *finished))) return false;
    }
    answers_.push_back(std::move(*finished));
    return true;
  }

  bool hear(int choice, const AnswerEvent& event) {
    const bool is_answer = event.kind != AnswerEvent::Kind::kPromptProgress;
    if (is_answer && !heard_) {
      heard_ = true;
      if (parts_.state.metrics != nullptr)
        parts_.state.metrics->count_first_token(model_->name, spent_since(arrived_));
    }
    if (!asked_.stream) return !responder_.gone();
    begin();
    const bool goes_on = say(asked_.writer->event(choice, event));
    return goes_on && (Clock::now() - said_ < kPingAfter || say(asked_.writer->ping()));
  }

  void begin() {
    if (begun_) return;
    begun_ = true;
    responder_.begin(200, std::string(asked_.writer->content_type()));
    say(asked_.writer->start(model_->name, prepared_.front()->prompt_tokens()));
  }

  bool say(const std::string& text) {
    if (text.empty()) return !responder_.gone();
    said_ = Clock::now();
    return responder_.write(text);
  }

  ApiParts parts_;
  wire::Asked asked_;
  Responder& responder_;
  ErrorBody error_body_;
  std::shared_ptr<ServedModel> model_;
  std::vector<std::unique_ptr<PreparedAnswer>> prepared_;
  std::vector<FinishedAnswer> answers_;
  double load_seconds_ = 0;
  bool begun_ = false;
  bool heard_ = false;
  Clock::time_point arrived_ = Clock::now();
  Clock::time_point said_ = arrived_;
};

}  // namespace

std::optional<Json> read_body(const Request& request, Responder& responder, ErrorBody error_body) {
  auto json = parse_json(request.body, "body");
  if (!json.ok()) {
    reply_failure(responder, json.error(), wire::Stage::kRequest, error_body);
    return std::nullopt;
  }
  if (!json->is_object()) {
    reply_failure(responder, {ErrorKind::kInvalid, "body", "a JSON object", "something else", ""},
                  wire::Stage::kRequest, error_body);
    return std::nullopt;
  }
  return std::move(*json);
}

void reply_json(Responder& responder, const Json& json, int status) {
  Reply reply;
  reply.status = status;
  reply.body = json_text(json);
  responder.reply(std::move(reply));
}

void reply_failure(Responder& responder, const wire::Failure& failure, ErrorBody error_body) {
  Reply reply;
  reply.status = failure.status;
  reply.body = json_text(error_body(failure));
  if (failure.status == 503) reply.headers["retry-after"] = kRetryAfterSeconds;
  responder.reply(std::move(reply));
}

void reply_failure(Responder& responder, const Error& error, wire::Stage stage, ErrorBody error_body) {
  reply_failure(responder, wire::failure_of(error, stage), error_body);
}

wire::Moment moment_of(const Request& request) {
  return {request.id, std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())};
}

void answer(const ApiParts& parts, wire::Asked asked, Responder& responder, ErrorBody error_body) {
  Answering(parts, std::move(asked), responder, error_body).run();
}

Endpoint answering_endpoint(const ApiParts& parts, AskedParser parse, ErrorBody error_body) {
  return [parts, parse = std::move(parse), error_body](const Request& request, Responder& responder) {
    const auto body = read_body(request, responder, error_body);
    if (!body) return;
    auto asked = parse(*body, moment_of(request));
    if (!asked.ok()) return reply_failure(responder, asked.error(), wire::Stage::kRequest, error_body);
    answer(parts, std::move(*asked), responder, error_body);
  };
}

}  // namespace ink::server
