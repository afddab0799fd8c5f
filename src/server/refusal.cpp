// See server/refusal.h.
#include "server/refusal.h"

#include "base/json.h"

namespace ink::server {
namespace {

const char* openai_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 500:
      return "server_error";
    case 503:
      return "unavailable_error";
    default:
      return "invalid_request_error";
  }
}

const char* anthropic_type(int status) {
  switch (status) {
    case 413:
      return "request_too_large";
    case 500:
      return "api_error";
    case 503:
      return "overloaded_error";
    default:
      return openai_type(status);
  }
}

}  // namespace

Reply refusal_reply(const Refusal& refusal, std::string_view path) {
  Json body;
  if (path.starts_with("/api/"))
    body = {{"error", refusal.message}};
  else if (path.starts_with("/v1/messages"))
    body = {{"type", "error"},
            {"error", {{"type", anthropic_type(refusal.status)}, {"message", refusal.message}}}};
  else
    body = {{"error",
             {{"message", refusal.message},
              {"type", openai_type(refusal.status)},
              {"param", nullptr},
              {"code", refusal.code}}}};
  Reply reply;
  reply.status = refusal.status;
  reply.body = json_text(body);
  // Two seconds: about what a short answer takes on a small machine; clients try again by themselves.
  if (refusal.status == 503) reply.headers["retry-after"] = "2";
  if (refusal.status == 401) reply.headers["www-authenticate"] = "Bearer";
  return reply;
}

}  // namespace ink::server
