// See services/mcp/transport_http.h.
#include "services/mcp/transport_http.h"

#include <algorithm>
#include <array>

#include "services/mcp/event_stream.h"

namespace ink::mcp {
namespace {

namespace problem = assistant::problem;
using Clock = std::chrono::steady_clock;
using Exchange = Connection::Exchange;

constexpr std::chrono::milliseconds kFarewell{300};  // of a session: politeness that may not cost more

Problem problem_of(const Json& said) {
  const std::string kind = said.value("kind", "");
  const std::string text = said.value("error", "");
  if (kind == "timed_out") return {problem::kTimedOut, text};
  if (kind == "garbage" || kind == "too_large") return {problem::kGarbled, text};
  return {problem::kUnreachable, text};
}

std::optional<Problem> problem_of_status(int status, bool in_session) {
  if (status >= 200 && status <= 299) return {};
  const std::string text = "HTTP " + std::to_string(status);
  if (status == 401 || status == 403) return Problem{problem::kUnauthorized, text};
  // 404 by the specification; some servers say 400 to a session that they do not know.
  if ((status == 404 || status == 400) && in_session) return Problem{kSessionExpired, text};
  if (status == 404 || status == 405) return Problem{problem::kNotFound, text + ", no MCP server there"};
  return Problem{problem::kFailed, text};
}

std::string header(const Json& said, const char* name) {
  const Json headers = said.value("headers", Json::object());
  return headers.value(name, "");
}

// Whether a header of the person's would stand beside one of ours.
bool is_ours(std::string name) {
  static constexpr auto kOurs = std::to_array<std::string_view>(
      {"accept", "content-type", "content-length", "host", "mcp-session-id", "mcp-protocol-version"});
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end();
}

struct Head {
  Json said;
  std::optional<Problem> problem;
};

Head read_head(Exchange& exchange, const Patience& patience, bool in_session) {
  const auto said = exchange.next(patience.deadline, patience.stop);
  if (!said) return {{}, nothing_came(patience)};
  if (said->contains("error")) return {{}, problem_of(*said)};
  return {*said, problem_of_status(said->value("status", 0), in_session)};
}

// The next piece of a body; nothing at its end.
struct Piece {
  std::optional<std::string> text;
  std::optional<Problem> problem;
};

Piece read_piece(Exchange& exchange, const Patience& patience) {
  const auto said = exchange.next(patience.deadline, patience.stop);
  if (!said) return {{}, nothing_came(patience)};
  if (said->contains("error")) return {{}, problem_of(*said)};
  if (said->contains("end")) return {};
  return {said->value("chunk", ""), {}};
}

// Whether `hear` was content with one of the messages in the text.
Result<bool> heard(std::string_view text, const Hear& hear) {
  const auto messages = parse_messages(text, "message");
  if (!messages.ok()) return messages.error();
  bool content = false;
  for (const Message& one : *messages) content = hear(one) || content;
  return content;
}

std::optional<Problem> hear_json(Exchange& exchange, const Patience& patience, const Hear& hear) {
  std::string body;
  while (true) {
    Piece piece = read_piece(exchange, patience);
    if (piece.problem) return std::move(piece.problem);
    if (!piece.text) break;
    body += *piece.text;
    if (body.size() > kMostBodyBytes) return Problem{problem::kGarbled, "an answer without an end"};
  }
  const auto content = heard(body, hear);
  if (!content.ok() || !*content) return Problem{problem::kGarbled, "not the answer to what was asked"};
  return {};
}

std::optional<Problem> hear_events(Exchange& exchange, const Patience& patience, const Hear& hear) {
  EventStream stream(kMostBodyBytes);
  while (true) {
    Piece piece = read_piece(exchange, patience);
    if (piece.problem) return std::move(piece.problem);
    if (!piece.text) return Problem{problem::kUnreachable, "the stream ended before the answer"};
    const auto events = stream.feed(*piece.text);
    if (!events.ok()) return Problem{problem::kGarbled, events.error().message()};
    for (const Event& event : *events) {
      if (event.name != "message" || event.data.empty()) continue;
      const auto content = heard(event.data, hear);
      if (!content.ok()) return Problem{problem::kGarbled, "an event that is no message"};
      if (*content) return {};
    }
  }
}

}  // namespace

Json HttpTransport::order(const char* method, const std::string& body, const Patience& patience) const {
  Json headers = Json::object();
  for (const auto& [name, value] : headers_) {
    if (!is_ours(name)) headers[name] = value;
  }
  headers["Accept"] = "application/json, text/event-stream";
  headers["Content-Type"] = "application/json";
  if (!session_.empty()) headers["Mcp-Session-Id"] = session_;
  if (!protocol_version_.empty()) headers["MCP-Protocol-Version"] = protocol_version_;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience.deadline - Clock::now()).count();
  return {{"http",
           {{"method", method},
            {"url", url_},
            {"headers", std::move(headers)},
            {"body", body},
            {"timeout_ms", std::clamp<int64_t>(left, 1, 86'400'000)},
            {"stream", true}}}};
}

HttpTransport::~HttpTransport() {
  if (session_.empty()) return;
  const Patience patience{Clock::now() + kFarewell, {}};
  const auto exchange = connection_->open(order("DELETE", "", patience));
  if (exchange.ok()) (void)(*exchange)->next(patience.deadline);
}

std::optional<Problem> HttpTransport::ask(const Json& message, const Patience& patience, const Hear& hear) {
  const auto exchange = connection_->open(order("POST", json_text(message), patience));
  if (!exchange.ok()) return Problem{problem::kUnreachable, exchange.error().message()};
  Head head = read_head(**exchange, patience, !session_.empty());
  if (head.problem) {
    if (head.problem->name == kSessionExpired) session_.clear();
    return std::move(head.problem);
  }
  // Only the answer to the first message, before which there is none, opens a session.
  if (session_.empty()) session_ = header(head.said, "mcp-session-id");
  const std::string type = header(head.said, "content-type");
  if (type.starts_with("application/json")) return hear_json(**exchange, patience, hear);
  if (type.starts_with("text/event-stream")) return hear_events(**exchange, patience, hear);
  return Problem{problem::kGarbled, "neither JSON nor a stream of events"};
}

std::optional<Problem> HttpTransport::tell(const Json& message, const Patience& patience) {
  const auto exchange = connection_->open(order("POST", json_text(message), patience));
  if (!exchange.ok()) return Problem{problem::kUnreachable, exchange.error().message()};
  return read_head(**exchange, patience, !session_.empty()).problem;
}

}  // namespace ink::mcp
