// From a request to the tokens the model reads, and what they mean for what comes after them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "services/answers/request.h"
#include "services/library/library.h"

namespace ink {

struct AnswerPrompt {
  std::vector<int32_t> ids;
  bool starts_in_thinking = false;  // it ends inside of an open <think>
  bool may_think = false;           // or the model may open one itself
  bool parse = true;                // thinking and calls are looked for; false for raw prompts
  std::string prefill;              // the beginning of the answer that the client gave, with continue_last
};

// Errors: kInvalid with the place in the request; kNotFound without a tokenizer where one is needed.
Result<AnswerPrompt> make_prompt(const ServedModel& model, const AnswerRequest& request);

}  // namespace ink
