// From a request that was understood to its answer on the wire, the same for all dialects: finds the model,
// prepares, generates each choice, and says it whole or as a stream. Whatever can be wrong is found before
// the first byte goes out, so that it has its own status; a stream begins with the first sign of life of the
// generation, because until then there may be no place for it.
#pragma once

#include <functional>

#include "server/api/state.h"
#include "server/exchange.h"
#include "services/library/library.h"
#include "services/wire/writer.h"

namespace ink::server {

using ErrorBody = Json (*)(const wire::Failure&);

// The body as JSON; null, and the mistake has been answered, when it is none.
std::optional<Json> read_body(const Request& request, Responder& responder, ErrorBody error_body);

void reply_json(Responder& responder, const Json& json, int status = 200);
// 503 comes with Retry-After.
void reply_failure(Responder& responder, const wire::Failure& failure, ErrorBody error_body);
void reply_failure(Responder& responder, const Error& error, wire::Stage stage, ErrorBody error_body);

wire::Moment moment_of(const Request& request);

struct ApiParts {
  ModelLibrary& library;
  ApiState& state;
};
void answer(const ApiParts& parts, wire::Asked asked, Responder& responder, ErrorBody error_body);

// An endpoint that reads its body with `parse` (Result<Asked>(body, moment)) and answers it.
using AskedParser = std::function<Result<wire::Asked>(const Json& body, const wire::Moment& moment)>;
Endpoint answering_endpoint(const ApiParts& parts, AskedParser parse, ErrorBody error_body);

}  // namespace ink::server
