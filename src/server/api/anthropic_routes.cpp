// Anthropic's endpoints (server/api/routes.h).
#include "server/api/answering.h"
#include "server/api/routes.h"
#include "services/answers/answerer.h"
#include "services/anthropic/messages.h"

namespace ink::server {
namespace {

void count_tokens(const ApiParts& parts, const Request& request, Responder& responder) {
  const auto body = read_body(request, responder, anthropic::error_body);
  if (!body) return;
  const auto asked = anthropic::parse_messages_request(*body, moment_of(request));
  if (!asked.ok())
    return reply_failure(responder, asked.error(), wire::Stage::kRequest, anthropic::error_body);
  const AnswerRequest& wanted = asked->requests.front();
  const auto model = parts.library.acquire(wanted.model, wanted.keep_alive, &responder.gone());
  if (!model.ok()) return reply_failure(responder, model.error(), wire::Stage::kModel, anthropic::error_body);
  const auto count = count_prompt_tokens(**model, wanted);
  if (!count.ok())
    return reply_failure(responder, count.error(), wire::Stage::kRequest, anthropic::error_body);
  reply_json(responder, {{"input_tokens", *count}});
}

}  // namespace

void add_anthropic_routes(std::vector<Route>& routes, ModelLibrary& library, ApiState& state) {
  const ApiParts parts{library, state};
  routes.push_back({"POST", "/v1/messages",
                    answering_endpoint(parts, anthropic::parse_messages_request, anthropic::error_body)});
  routes.push_back(
      {"POST", "/v1/messages/count_tokens",
       [parts](const Request& request, Responder& responder) { count_tokens(parts, request, responder); }});
}

}  // namespace ink::server
