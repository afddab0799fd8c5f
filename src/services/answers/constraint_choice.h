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

// Null when the answer may be anything. A tool with "strict": true is enforced to the letter, or refused with
// the keyword that cannot be. A tool without it whose schema holds such a keyword is called with any JSON
// object as arguments: that is what a client gets from OpenAI for a tool that is not strict, and a hundred
// tools must not fail for one "format". Errors: as compile_tools.
Result<std::shared_ptr<const TokenGrammar>> choose_constraint(const ServedModel& model,
                                                              const AnswerRequest& request,
                                                              const AnswerPrompt& prompt);

}  // namespace ink
