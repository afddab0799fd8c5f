// POST /v1/messages and /v1/messages/count_tokens: Anthropic's wire to a request and answers back to it.
//
// Clients of this wire put a line "x-anthropic-billing-header: …" into the system text that is another one
// with every turn. It says nothing to a model and would throw away the whole cached prefix (one report
// measured 74 to 93 seconds a turn), so it is taken out.
#pragma once

#include "services/wire/writer.h"

namespace ink::anthropic {

// Errors: kInvalid with the field, kUnsupported for pictures, documents and tools that run on a server.
Result<wire::Asked> parse_messages_request(const Json& body, const wire::Moment& moment);

// {"type": "error", "error": {"type", "message"}}
Json error_body(const wire::Failure& failure);

}  // namespace ink::anthropic
