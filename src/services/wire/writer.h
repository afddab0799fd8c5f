// The face between the endpoints and the dialects: a request that was read, and who puts its answer into the
// dialect's words. No model is known here, so that a dialect is tested with JSON alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "services/answers/answer.h"
#include "services/answers/request.h"
#include "services/wire/failure.h"

namespace ink::wire {

// What a reply needs from outside of the request.
struct Moment {
  std::string id;            // of the exchange: letters and digits, unique
  int64_t unix_seconds = 0;  // when it began
};

// One answer, or several choices of it, either whole with reply(), or as a stream: start, then for each
// choice its events and finish_choice, then end. Texts are framed and ready to be sent; they may be empty.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;
  virtual Json reply(const std::vector<FinishedAnswer>& answers) = 0;

  virtual std::string_view content_type() const = 0;  // of the stream
  virtual std::string start(const std::string& model, int64_t prompt_tokens) = 0;
  virtual std::string event(int choice, const AnswerEvent& event) = 0;
  virtual std::string finish_choice(int choice, const FinishedAnswer& answer) = 0;
  virtual std::string end(const std::vector<FinishedAnswer>& answers) = 0;
  virtual std::string failure(const Failure& failure) = 0;  // in the middle of a stream, whose end it is
  virtual std::string ping() = 0;                           // says nothing but that we are alive
};

// A request that was understood. Several requests (prompts) of several choices each make requests.size() *
// choices answers, those of one prompt beside each other.
struct Asked {
  std::vector<AnswerRequest> requests;
  int choices = 1;
  bool stream = false;
  std::unique_ptr<AnswerWriter> writer;
};

std::string server_sent_event(const Json& data);                          // data: …
std::string server_sent_event(std::string_view event, const Json& data);  // with its event: line
std::string json_line(const Json& json);                                  // NDJSON

// 2026-11-28T06:40:00Z
std::string utc_time(int64_t unix_seconds);

// The words of reasoning_effort and its relatives: none, minimal, low, medium, high, xhigh, max. False: no
// such word.
bool apply_effort(std::string_view effort, AnswerRequest& request);

// [{"token", "logprob", "bytes", "top_logprobs": [{"token", "logprob", "bytes"}]}]
Json tokens_json(const std::vector<AnsweredToken>& tokens);

// A call's arguments as JSON text, spaced as the model writes it, so that a client that sends it back gives
// the model its own words again.
std::string arguments_text(const ToolCall& call);

}  // namespace ink::wire
