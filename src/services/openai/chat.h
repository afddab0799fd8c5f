// POST /v1/chat/completions: OpenAI's wire to a request and answers back to it. Beside what OpenAI defines it
// understands what users of local servers expect: top_k, min_p, repeat_penalty, grammar (GBNF),
// chat_template_kwargs, return_progress, continue_final_message, keep_alive, priority. Fields it does not
// know are ignored, as OpenAI does; those whose meaning would be lost in silence are refused.
#pragma once

#include "services/wire/writer.h"

namespace ink::openai {

// Errors: kInvalid with the field, kUnsupported for what is not done here (pictures, audio, old functions).
Result<wire::Asked> parse_chat(const Json& body, const wire::Moment& moment);

}  // namespace ink::openai
