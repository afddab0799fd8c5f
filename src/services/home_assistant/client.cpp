// Both protocols, each in one function. What goes wrong is put into the assistant's words here: a wrong
// token, a server that is away and an answer that makes no sense are different things to mend.
#include "services/home_assistant/client.h"

#include <array>

#include "base/json_pointer.h"

namespace ink::home_assistant {
namespace {

namespace problem = assistant::problem;
using assistant::CallContext;
using assistant::Problem;

Problem problem_of(const NetworkProblem& network) {
  if (network.kind == "timed_out") return {problem::kTimedOut, network.message};
  if (network.kind == "cancelled") return {problem::kCancelled, network.message};
  if (network.kind == "garbage" || network.kind == "too_large") return {problem::kGarbled, network.message};
  return {problem::kUnreachable, network.message};
}

// The WebSocket's next message; Home Assistant sends no others than answers here.
Answer next_message(Connection::Exchange& socket, const CallContext& context) {
  const auto said = socket.next(context.deadline, context.stop);
  if (!said) {
    const bool stopped = context.stop.stop_requested();
    return {{}, Problem{stopped ? problem::kCancelled : problem::kTimedOut, "no answer from the WebSocket"}};
  }
  if (said->contains("error")) return {{}, problem_of({said->value("kind", ""), said->value("error", "")})};
  if (!said->contains("text")) return {{}, Problem{problem::kUnreachable, "the WebSocket was closed"}};
  auto message = parse_json((*said)["text"].get_ref<const std::string&>(), "Home Assistant");
  if (!message.ok() || !message->is_object())
    return {{}, Problem{problem::kGarbled, "a message that is no object"}};
  return {std::move(*message), {}};
}

std::optional<Problem> authenticate(Connection::Exchange& socket, const std::string& token,
                                    const CallContext& context) {
  const Answer greeting = next_message(socket, context);
  if (greeting.problem) return greeting.problem;
  if (text_member(greeting.value, "type") != "auth_required")
    return Problem{problem::kGarbled, "not Home Assistant's greeting"};
  if (!socket.send(Json{{"type", "auth"}, {"access_token", token}}.dump()).ok())
    return Problem{problem::kUnreachable, "the WebSocket was closed"};
  const Answer answer = next_message(socket, context);
  if (answer.problem) return answer.problem;
  if (text_member(answer.value, "type") != "auth_ok")
    return Problem{problem::kUnauthorized, "the token is not accepted"};
  return {};
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

Client::Client(std::shared_ptr<Connection> connection, const std::string& url, std::string token)
    : connection_(std::move(connection)), url_(without_slash(url)), token_(std::move(token)) {}

Answer Client::request(const std::string& method, const std::string& path, const Json* body,
                       const CallContext& context) {
  Json http = {{"method", method},
               {"url", url_ + path},
               {"headers", {{"Authorization", "Bearer " + token_}, {"Content-Type", "application/json"}}}};
  if (body) http["body"] = json_text(*body);
  const HttpReply reply = connection_->request(std::move(http), context.deadline, context.stop);
  if (reply.problem) return {{}, problem_of(*reply.problem)};
  const std::string status = "HTTP " + std::to_string(reply.status) + " for " + path;
  if (reply.status == 401 || reply.status == 403) return {{}, Problem{problem::kUnauthorized, status}};
  if (reply.status == 404) return {{}, Problem{problem::kNotFound, status}};
  if (reply.status == 400) return {{}, Problem{problem::kRefused, status}};
  if (reply.status < 200 || reply.status > 299) return {{}, Problem{problem::kFailed, status}};
  auto value = parse_json(reply.body, "Home Assistant");
  if (!value.ok()) return {{}, Problem{problem::kGarbled, path + ": not JSON"}};
  return {std::move(*value), {}};
}

Answer Client::about(const CallContext& context) {
  Answer answer = request("GET", "/api/config", nullptr, context);
  const bool right = answer.problem || (answer.value.is_object() && answer.value.contains("version"));
  if (!right) answer.problem = Problem{problem::kGarbled, "/api/config: not Home Assistant's answer"};
  return answer;
}

Answer Client::states(const CallContext& context) { return request("GET", "/api/states", nullptr, context); }

Answer Client::call(const ServiceCall& call, const CallContext& context) {
  return request("POST", "/api/services/" + call.domain + "/" + call.service, &call.data, context);
}

std::optional<Problem> Client::read_registries(const CallContext& context) {
  const std::string socket_url = "ws" + url_.substr(4) + "/api/websocket";  // http -> ws, https -> wss
  const auto socket = connection_->open({{"websocket", {{"url", socket_url}}}});
  if (!socket.ok()) return Problem{problem::kUnreachable, "no WebSocket"};
  const auto opened = (*socket)->next(context.deadline, context.stop);
  if (!opened) return Problem{problem::kTimedOut, "no WebSocket"};
  if (!opened->contains("open")) return problem_of({opened->value("kind", ""), opened->value("error", "")});
  if (const auto refused = authenticate(**socket, token_, context)) return refused;
  Registries registries;
  const auto wanted = std::to_array<std::pair<const char*, Json*>>(
      {{"area", &registries.areas}, {"device", &registries.devices}, {"entity", &registries.entities}});
  int id = 0;
  for (const auto& [name, list] : wanted) {
    const Json question = {{"id", ++id}, {"type", "config/" + std::string(name) + "_registry/list"}};
    if (!(*socket)->send(question.dump()).ok())
      return Problem{problem::kUnreachable, "the WebSocket was closed"};
    Answer answer = next_message(**socket, context);
    if (answer.problem) return answer.problem;
    const auto result = answer.value.find("result");
    if (result == answer.value.end() || !result->is_array())
      return Problem{problem::kGarbled, std::string(name) + " registry: no list"};
    *list = std::move(*result);
  }
  registries_ = std::move(registries);
  return {};
}

}  // namespace ink::home_assistant
