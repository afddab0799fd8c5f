// POST /v1/completions: a prompt is continued as it is, without a chat format. Several prompts in one request
// are several answers. echo, suffix and best_of are refused.
#pragma once

#include "services/wire/writer.h"

namespace ink::openai {

Result<wire::Asked> parse_completion(const Json& body, const wire::Moment& moment);

}  // namespace ink::openai
