// See services/mcp/client.h. ask() is the one place that talks; everything else makes questions for it and
// reads its answers. There is no transport as long as there is no initialized server.
#include "services/mcp/client.h"

#include <algorithm>
#include <array>

#include "base/json_pointer.h"

namespace ink::mcp {
namespace {

namespace problem = assistant::problem;
using Clock = std::chrono::steady_clock;

constexpr auto kVersions = std::to_array<std::string_view>({"2025-06-18", "2025-03-26", "2024-11-05"});
constexpr int kMostPages = 100;        // of a list of tools
constexpr size_t kMostTools = 128;     // of one server: more would fill a model's context by themselves
constexpr int64_t kMostHeard = 10000;  // messages during one request
constexpr std::chrono::milliseconds kAside{500};  // for what is said beside a request

constexpr int kInvalidParams = -32602;

// Its message is foreign text and goes nowhere.
Problem problem_of_error(const Json& error) {
  const Json code = error.value("code", Json());
  const int64_t number = code.is_number_integer() ? code.get<int64_t>() : 0;
  const char* name = number == kMethodNotFound  ? problem::kNotFound
                     : number == kInvalidParams ? problem::kInvalid
                                                : problem::kFailed;
  return {name, "the server answers with error " + std::to_string(number)};
}

Json first_words() {
  return {{"protocolVersion", kVersions[0]},
          {"capabilities", Json::object()},
          {"clientInfo", {{"name", "inkstone"}, {"version", "1"}}}};
}

Answer problem_answer(Problem one) { return {"", false, 0, std::move(one)}; }

}  // namespace

std::optional<ToolInfo> parse_tool(const Json& tool) {
  ToolInfo info;
  info.name = text_member(tool, "name");
  if (info.name.empty()) return {};
  info.description = text_member(tool, "description");
  const auto schema = tool.find("inputSchema");
  if (schema == tool.end() || !schema->is_object()) return {};
  info.parameters = *schema;
  const auto annotations = tool.find("annotations");
  info.read_only = annotations != tool.end() && annotations->is_object() &&
                   annotations->value("readOnlyHint", Json()) == true;
  return info;
}

Answer parse_answer(const Json& result) {
  Answer answer;
  if (!result.is_object()) return problem_answer({problem::kGarbled, "a result that is no object"});
  answer.is_error = result.value("isError", Json()) == true;
  const Json content = result.value("content", Json::array());
  if (!content.is_array()) return problem_answer({problem::kGarbled, "content that is no list"});
  for (const Json& part : content) {
    if (text_member(part, "type") == "text")
      answer.text += (answer.text.empty() ? "" : "\n") + text_member(part, "text");
    else
      ++answer.parts_left_out;
  }
  const auto structured = result.find("structuredContent");
  if (answer.text.empty() && structured != result.end()) answer.text = json_text(*structured);
  return answer;
}

bool Client::hear(const Message& message, int64_t awaited, Reply& reply, const Patience& patience) {
  if (message.answers(awaited)) {
    if (message.kind == MessageKind::kResult)
      reply.result = message.body;
    else
      reply.problem = problem_of_error(message.body);
    return true;
  }
  if (message.kind == MessageKind::kNotification && message.method == "notifications/tools/list_changed")
    tools_changed_ = true;
  if (message.kind == MessageKind::kRequest) {
    const Patience aside{std::min(patience.deadline, Clock::now() + kAside), patience.stop};
    const bool ping = message.method == "ping";
    const std::string method = message.method.substr(0, 100);
    (void)transport_->tell(ping ? empty_result(message.id) : method_not_found(message.id, method), aside);
  }
  return false;  // progress, logs, and answers to what was given up on
}

Client::Reply Client::ask(const std::string& method, const Json& params, const Patience& patience) {
  const int64_t id = ++last_id_;
  Reply reply;
  int64_t messages = 0;
  const auto failed = transport_->ask(request(id, method, params), patience, [&](const Message& message) {
    const bool drowned = ++messages > kMostHeard;
    if (drowned) reply.problem = Problem{problem::kGarbled, "more messages than any answer needs"};
    return drowned || hear(message, id, reply, patience);
  });
  if (failed) reply.problem = failed;
  const bool given_up = reply.problem && (reply.problem->name == problem::kTimedOut ||
                                          reply.problem->name == problem::kCancelled);
  if (given_up && method != "initialize") {
    const Json which = {{"requestId", id}, {"reason", reply.problem->name}};
    (void)transport_->tell(notification("notifications/cancelled", which), {Clock::now() + kAside, {}});
  }
  return reply;
}

std::optional<Problem> Client::initialize(const Patience& patience) {
  const Reply reply = ask("initialize", first_words(), patience);
  if (reply.problem) return reply.problem;
  const std::string version = text_member(reply.result, "protocolVersion");
  if (std::find(kVersions.begin(), kVersions.end(), version) == kVersions.end())
    return Problem{problem::kGarbled, "a version of the protocol that is not known here"};
  const Json about = reply.result.value("serverInfo", Json::object());
  server_ = text_member(about, "name") + " " + text_member(about, "version");
  transport_->agree(version);
  tools_changed_ = false;
  return transport_->tell(notification("notifications/initialized", Json::object()), patience);
}

std::optional<Problem> Client::open(const Patience& patience) {
  auto opened = open_();
  if (!opened.ok()) {
    const char* name =
        opened.error().kind == ErrorKind::kNotFound ? problem::kNotFound : problem::kUnreachable;
    return Problem{name, opened.error().message()};
  }
  transport_ = std::move(*opened);
  auto failed = initialize(patience);
  if (failed) transport_.reset();
  return failed;
}

ToolList Client::list_pages(const Patience& patience) {
  ToolList list;
  Json params = Json::object();
  tools_changed_ = false;
  for (int page = 0; page < kMostPages; ++page) {
    const Reply reply = ask("tools/list", params, patience);
    if (reply.problem) return {{}, reply.problem};
    const Json tools = reply.result.is_object() ? reply.result.value("tools", Json()) : Json();
    if (!tools.is_array()) return {{}, Problem{problem::kGarbled, "no list of tools"}};
    for (const Json& tool : tools) {
      auto info = parse_tool(tool);
      if (info && list.tools.size() < kMostTools) list.tools.push_back(std::move(*info));
    }
    const std::string next = text_member(reply.result, "nextCursor");
    if (next.empty() || list.tools.size() >= kMostTools) return list;
    params["cursor"] = next;
  }
  return list;
}

ToolList Client::list(const Patience& patience) {
  if (transport_ != nullptr) {
    ToolList list = list_pages(patience);
    const bool gone = list.problem &&
                      (list.problem->name == kSessionExpired || list.problem->name == problem::kUnreachable);
    if (!gone) return list;
  }
  if (auto failed = open(patience)) return {{}, std::move(failed)};
  return list_pages(patience);
}

ToolList Client::list_tools(const Patience& patience) {
  const std::unique_lock lock(mutex_, patience.deadline);
  if (!lock) return {{}, nothing_came(patience)};
  return list(patience);
}

Answer Client::call(const ToolInfo& tool, const Json& arguments, const Patience& patience) {
  const std::unique_lock lock(mutex_, patience.deadline);
  if (!lock) return problem_answer(nothing_came(patience));
  const Json params = {{"name", tool.name}, {"arguments", arguments}};
  // Only a call that met a forgotten session is sure to have done nothing, and is made again.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (tools_changed_ || transport_ == nullptr) {
      const ToolList now = list(patience);
      if (now.problem) return problem_answer(*now.problem);
      if (std::find(now.tools.begin(), now.tools.end(), tool) == now.tools.end())
        return problem_answer({problem::kRefused, "the tool is no longer the one that was listed"});
    }
    const Reply reply = ask("tools/call", params, patience);
    if (!reply.problem) return parse_answer(reply.result);
    const bool expired = reply.problem->name == kSessionExpired;
    // After garbage nobody knows where the next message begins.
    const bool lost =
        reply.problem->name == problem::kUnreachable || reply.problem->name == problem::kGarbled;
    if (expired || lost) transport_.reset();
    if (!expired) return problem_answer(*reply.problem);
  }
  return problem_answer({problem::kFailed, "the server forgets its sessions"});
}

}  // namespace ink::mcp
