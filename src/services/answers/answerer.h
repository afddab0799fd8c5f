// Answers a request with a loaded model, in two steps: everything that can be wrong with the request is found
// by prepare_answer, before a byte of the answer goes out; what follows can only be cut short.
#pragma once

#include <atomic>
#include <memory>

#include "base/result.h"
#include "services/answers/answer.h"
#include "services/answers/request.h"
#include "services/library/library.h"

namespace ink {

class PreparedAnswer {
 public:
  virtual ~PreparedAnswer() = default;
  virtual int64_t prompt_tokens() const = 0;
  // Generates. May be called several times (n choices), also at once from several threads. `cancelled` is
  // read at every step; when it is set the answer ends with kCancelled and its memory is free again.
  virtual Result<FinishedAnswer> run(const OnAnswerEvent& on_event,
                                     const std::atomic<bool>& cancelled) const = 0;
};

// Errors: kInvalid, kUnsupported (a keyword of a schema, named), kTooLarge (a prompt longer than the context:
// where is "context", with both numbers).
Result<std::unique_ptr<PreparedAnswer>> prepare_answer(std::shared_ptr<ServedModel> model,
                                                       const AnswerRequest& request);

// How many tokens the prompt of a request has, also when they are more than the context holds.
Result<int64_t> count_prompt_tokens(const ServedModel& model, const AnswerRequest& request);

}  // namespace ink
