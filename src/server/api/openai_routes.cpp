// OpenAI's endpoints (server/api/routes.h), and the two that say whether the server is well.
#include "server/api/answering.h"
#include "server/api/routes.h"
#include "services/library/model_names.h"
#include "services/openai/chat.h"
#include "services/openai/completions.h"
#include "services/openai/models.h"
#include "services/openai/parts.h"
#include "services/openai/responses.h"

namespace ink::server {
namespace {

wire::Failure no_such_response(const std::string& id) {
  return {wire::Failure::Kind::kNotFound, 404, "there is no response '" + id + "' (any more)", "response_id"};
}

std::string id_of(const Request& request, const char* name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

void add_model_routes(std::vector<Route>& routes, ModelLibrary& library) {
  routes.push_back({"GET", "/v1/models",
                    [&library](const Request& request, Responder& responder) {
                      reply_json(responder,
                                 openai::models_json(library.available(), moment_of(request).unix_seconds));
                    },
                    true, false});
  routes.push_back({"GET", "/v1/models/{id}",
                    [&library](const Request& request, Responder& responder) {
                      const auto model = match_model(library.available(), id_of(request, "id"));
                      if (!model.ok())
                        return reply_failure(responder, model.error(), wire::Stage::kModel,
                                             openai::error_body);
                      reply_json(responder, openai::model_json(*model, moment_of(request).unix_seconds));
                    },
                    true, false});
}

void add_response_routes(std::vector<Route>& routes, const ApiParts& parts) {
  ApiState& state = parts.state;
  const auto parse = [&state](const Json& body, const wire::Moment& moment) {
    return openai::parse_response(body, moment, &state.responses);
  };
  routes.push_back({"POST", "/v1/responses", answering_endpoint(parts, parse, openai::error_body)});
  routes.push_back({"GET", "/v1/responses/{id}",
                    [&state](const Request& request, Responder& responder) {
                      const std::string id = id_of(request, "id");
                      const auto found = state.responses.find(id);
                      if (!found) return reply_failure(responder, no_such_response(id), openai::error_body);
                      reply_json(responder, found->response);
                    },
                    true, false});
  routes.push_back({"DELETE", "/v1/responses/{id}",
                    [&state](const Request& request, Responder& responder) {
                      const std::string id = id_of(request, "id");
                      if (!state.responses.forget(id))
                        return reply_failure(responder, no_such_response(id), openai::error_body);
                      reply_json(responder, {{"id", id}, {"object", "response"}, {"deleted", true}});
                    },
                    true, false});
}

}  // namespace

void add_openai_routes(std::vector<Route>& routes, ModelLibrary& library, ApiState& state) {
  const ApiParts parts{library, state};
  const Endpoint health = [](const Request&, Responder& responder) {
    reply_json(responder, {{"status", "ok"}});
  };
  routes.push_back({"GET", "/health", health, false, false});
  routes.push_back({"GET", "/v1/health", health, false, false});
  add_model_routes(routes, library);
  routes.push_back(
      {"POST", "/v1/chat/completions", answering_endpoint(parts, openai::parse_chat, openai::error_body)});
  routes.push_back(
      {"POST", "/v1/completions", answering_endpoint(parts, openai::parse_completion, openai::error_body)});
  add_response_routes(routes, parts);
}

std::vector<Route> api_routes(ModelLibrary& library, ApiState& state) {
  std::vector<Route> routes;
  add_openai_routes(routes, library, state);
  add_anthropic_routes(routes, library, state);
  add_ollama_routes(routes, library, state);
  add_retrieval_routes(routes, library, state);
  return routes;
}

}  // namespace ink::server
