// Which constraint an answer gets: what its tools and the form of its reply demand, compiled for the model's
// vocabulary.
#pragma once

#include <memory>

#include "base/result.h"
#include "runtime/grammar_tokens.h"
#include "services/answers/prompt.h"
#include "services/answers/request.h"
#include "services/library/library.h"

namespace ink {

// Null when the answer may be anything. Tools are enforced as runtime/grammar_tools.h says; text may stand in
// front of calls, as models write it. Errors: as compile_tools.
Result<std::shared_ptr<const TokenGrammar>> choose_constraint(const ServedModel& model,
                                                              const AnswerRequest& request,
                                                              const AnswerPrompt& prompt);

}  // namespace ink
