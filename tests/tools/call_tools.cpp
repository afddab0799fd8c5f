// The assistant's tools without a model, for tests: reads calls {"name", "arguments"} from stdin, one a line,
// does each as `ask` would after a yes, and writes {"name", "asks_first", "problem", "detail", "data"}. A
// line
// {"list": true} writes the declarations. With --servers, those of connected MCP servers too.
#include <csignal>
#include <cstring>
#include <iostream>
#include <string>

#include "cli/assistant_setup.h"
#include "cli/connected.h"
#include "cli/program.h"
#include "services/assistant/call.h"
#include "services/assistant/schema.h"

namespace {

using namespace ink;

Json outcome_of(const assistant::Registry& registry, const Json& call) {
  const std::string name = call.value("name", "");
  const Json arguments = call.value("arguments", Json::object());
  const auto tool = registry.find(name);
  if (tool == nullptr) return {{"name", name}, {"problem", "no_such_tool"}};
  const Status fits = assistant::check_arguments(arguments, tool->parameters(), name);
  if (!fits.ok()) return {{"name", name}, {"problem", "invalid"}, {"detail", fits.error().message()}};
  const assistant::Outcome outcome = assistant::call_tool(tool, arguments, {}, {});
  return {{"name", name},
          {"asks_first", tool->risk(arguments) == assistant::Risk::kAsksFirst},
          {"problem", outcome.problem},
          {"detail", outcome.detail},
          {"data", outcome.data}};
}

int answer_calls(bool with_servers) {
  assistant::Registry registry;
  cli::ConnectedServers servers(with_servers);
  if (!cli::add_tools(registry, cli::assistant_state()).ok()) return 1;
  servers.add_to(registry);
  for (std::string line; std::getline(std::cin, line);) {
    const auto call = parse_json(line, "call");
    if (!call.ok() || !call->is_object()) return 2;
    const Json answer = call->contains("list") ? Json(registry.declarations()) : outcome_of(registry, *call);
    std::cout << json_text(answer) << std::endl;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  const int code = answer_calls(count > 1 && std::strcmp(arguments[1], "--servers") == 0);
  cli::leave_hanging_calls(code);
  return code;
}
