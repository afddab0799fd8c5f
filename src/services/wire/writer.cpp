// See services/wire/writer.h.
#include "services/wire/writer.h"

#include <ctime>

namespace ink::wire {
namespace {

// Thinking of about a paragraph and of about a page.
constexpr int64_t kLowEffortTokens = 512;
constexpr int64_t kMediumEffortTokens = 4096;

Json token_json(const TokenLogprob& token) {
  Json json{{"token", token.bytes}, {"logprob", token.logprob}, {"bytes", Json::array()}};
  for (const char byte : token.bytes) json["bytes"].push_back(static_cast<unsigned char>(byte));
  return json;
}

}  // namespace

std::string server_sent_event(const Json& data) { return "data: " + json_text(data) + "\n\n"; }

std::string server_sent_event(std::string_view event, const Json& data) {
  return "event: " + std::string(event) + "\n" + server_sent_event(data);
}

std::string json_line(const Json& json) { return json_text(json) + "\n"; }

std::string utc_time(int64_t unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text, size);
}

bool apply_effort(std::string_view effort, AnswerRequest& request) {
  const bool off = effort == "none" || effort == "minimal";
  const bool on =
      effort == "low" || effort == "medium" || effort == "high" || effort == "xhigh" || effort == "max";
  if (!off && !on) return false;
  request.enable_thinking = on;
  request.thinking_budget = effort == "low"      ? kLowEffortTokens
                            : effort == "medium" ? kMediumEffortTokens
                                                 : -1;
  return true;
}

Json tokens_json(const std::vector<AnsweredToken>& tokens) {
  Json list = Json::array();
  for (const AnsweredToken& answered : tokens) {
    Json json = token_json(answered.token);
    json["top_logprobs"] = Json::array();
    for (const TokenLogprob& other : answered.top) json["top_logprobs"].push_back(token_json(other));
    list.push_back(std::move(json));
  }
  return list;
}

std::string arguments_text(const ToolCall& call) {
  if (call.arguments.is_string()) return call.arguments.get<std::string>();
  return call.arguments.is_null() ? "{}" : python_json(call.arguments);
}

}  // namespace ink::wire
