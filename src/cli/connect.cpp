// `inkstone connect`: what the assistant may reach. A server is asked before it is saved, so that a wrong
// address or key is found now and not by the first sentence that needs it.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/secret_input.h"
#include "services/assistant/home_change.h"
#include "services/connections/connections.h"
#include "services/connections/private_file.h"
#include "services/home_assistant/connected_home.h"
#include "services/mcp/servers.h"

namespace ink::cli {
namespace {

namespace fs = std::filesystem;
namespace problem = assistant::problem;

constexpr const char* kHomeName = "home-assistant";
// A server that is fetched when it is first started (npx, uvx) takes its time.
constexpr std::chrono::seconds kFirstPatience{60};
constexpr std::chrono::seconds kHomePatience{10};

struct ConnectFlags {
  std::optional<std::string> name;
  std::optional<std::string> url;
  bool trusted = false;
  bool token = false;
  bool json = false;
};

Error error_of(const std::string& where, const assistant::Problem& one) {
  static const std::map<std::string, std::pair<const char*, const char*>> kSaid = {
      {problem::kUnreachable, {"nobody answers", "is it switched on, and the address right?"}},
      {problem::kUnauthorized, {"the key is not accepted", "make a new one there"}},
      {problem::kTimedOut, {"no answer in time", ""}},
      {problem::kGarbled, {"what answers is something else", "is the address right?"}},
      {problem::kNotFound, {"nothing of the kind is there", "is the address right?"}}};
  const auto found = kSaid.find(one.name);
  const std::string said = found == kSaid.end() ? "it did not work" : found->second.first;
  const ErrorKind kind = one.name == problem::kNotFound  ? ErrorKind::kNotFound
                         : one.name == problem::kGarbled ? ErrorKind::kInvalid
                                                         : ErrorKind::kIo;
  return {kind, where, "", said + (one.detail.empty() ? "" : ": " + printable(one.detail)),
          found == kSaid.end() ? "" : found->second.second};
}

assistant::CallContext home_context() {
  assistant::CallContext context;
  context.deadline = std::chrono::steady_clock::now() + kHomePatience;
  return context;
}

Result<Connections> read_connections() { return Connections::read(Connections::default_folder()); }

// Without a query, in which people put keys.
std::string shown_url(const std::string& url) { return printable(url.substr(0, url.find_first_of("?#"))); }

int connect_home_assistant(const ConnectFlags& flags) {
  auto connections = read_connections();
  if (!connections.ok()) return report(connections.error());
  auto token = read_secret_input("Long-lived access token (your profile in Home Assistant, Security): ");
  if (!token.ok()) return report(token.error());
  auto client = home_assistant::make_client(*flags.url, *token);
  if (!client.ok()) return report(client.error());
  const auto about = client->about(home_context());
  if (about.problem) return report(error_of(shown_url(*flags.url), *about.problem));
  if (Status kept = write_private_file(connections->token_file(), *token + "\n"); !kept.ok())
    return report(kept.error());
  connections->set(HomeAssistantServer{*flags.url, connections->token_file()});
  if (Status saved = connections->save(); !saved.ok()) return report(saved.error());
  const Json version = about.value["version"];
  output().write("connected: Home Assistant " +
                 (version.is_string() ? printable(version.get<std::string>()) : "") + " at " +
                 shown_url(*flags.url) + "\n");
  return kOk;
}

void print_tools(const std::string& name, const std::string& server, const mcp::NamedTools& named) {
  output().write(name + ": " + printable(server) + ", " + std::to_string(named.tools.size()) + " tools\n");
  for (const auto& tool : named.tools) {
    const bool asks = tool->risk(Json::object()) == assistant::Risk::kAsksFirst;
    output().write("  " + std::string(tool->name()) + (asks ? "  (asks first)" : "") + "\n");
  }
  for (const auto& line : named.left_out) output().write("  left out: " + printable(line) + "\n");
}

int test_mcp(const McpServer& server) {
  const auto client = mcp::client_for(server);
  const auto list = client->list_tools({std::chrono::steady_clock::now() + kFirstPatience, {}});
  if (list.problem) return report(error_of(server.name, *list.problem));
  print_tools(server.name, client->server(),
              mcp::named_tools(client, server.name, server.trusted, list.tools));
  return kOk;
}

Result<McpServer> server_of(const ConnectFlags& flags, const std::vector<std::string>& words) {
  McpServer server;
  if (words.size() < 2)
    return Error{ErrorKind::kInvalid, "connect mcp", "a name, then a URL or a command", "less",
                 "inkstone connect mcp --help"};
  server.name = words[0];
  if (!is_server_name(server.name) || server.name == kHomeName)
    return Error{ErrorKind::kInvalid, "connect mcp", "a name of letters, digits, _ and -, at most 32",
                 "'" + printable(server.name) + "'", ""};
  server.trusted = flags.trusted;
  if (words[1].starts_with("http://") || words[1].starts_with("https://")) {
    if (words.size() > 2)
      return Error{ErrorKind::kInvalid, "connect mcp", "nothing after the URL",
                   "'" + printable(words[2]) + "'", ""};
    server.url = words[1];
    return server;
  }
  server.command.assign(words.begin() + 1, words.end());
  // It will be started from any folder.
  const bool is_path = server.command[0].find('/') != std::string::npos;
  if (is_path) server.command[0] = fs::absolute(server.command[0]).lexically_normal().string();
  return server;
}

int connect_mcp(const ConnectFlags& flags, const std::vector<std::string>& words) {
  auto server = server_of(flags, words);
  if (!server.ok()) {
    report(server.error());
    return kUsage;
  }
  auto connections = read_connections();
  if (!connections.ok()) return report(connections.error());
  if (flags.token && server->url.empty())
    return report({ErrorKind::kInvalid, "--token", "a server that is reached by URL", "a command", ""});
  if (flags.token) {
    const auto token = read_secret_input("Key of " + server->name + ": ");
    if (!token.ok()) return report(token.error());
    server->headers["Authorization"] = "Bearer " + *token;
  }
  if (const int code = test_mcp(*server); code != kOk) return code;
  connections->set(*server);
  if (Status saved = connections->save(); !saved.ok()) return report(saved.error());
  return kOk;
}

std::string shown_target(const McpServer& server) {
  if (!server.url.empty()) return shown_url(server.url);
  std::string text;
  for (const auto& word : server.command) text += (text.empty() ? "" : " ") + printable(word);
  return text;
}

int list_connections(const ConnectFlags& flags) {
  const auto connections = read_connections();
  if (!connections.ok()) return report(connections.error());
  Json all = Json::array();
  if (const auto& home = connections->home_assistant())
    all.push_back({{"name", kHomeName}, {"target", shown_url(home->url)}});
  for (const auto& server : connections->mcp_servers())
    all.push_back({{"name", server.name},
                   {"target", shown_target(server)},
                   {"trusted", server.trusted},
                   {"disabled", server.disabled}});
  for (const auto& line : connections->notes()) note(printable(line));
  if (flags.json) {
    output().write_json(all);
    return kOk;
  }
  for (const Json& one : all) {
    std::string line = one["name"].get<std::string>() + "  " + one["target"].get<std::string>();
    for (const char* mark : {"trusted", "disabled"}) {
      if (one.value(mark, false)) line += "  (" + std::string(mark) + ")";
    }
    output().write(line + "\n");
  }
  return kOk;
}

int remove_connection(const ConnectFlags& flags) {
  auto connections = read_connections();
  if (!connections.ok()) return report(connections.error());
  const bool is_home = *flags.name == kHomeName;
  const bool removed = is_home ? connections->remove_home_assistant() : connections->remove_mcp(*flags.name);
  if (!removed)
    return report({ErrorKind::kNotFound, "connections", "",
                   "nothing is called '" + printable(*flags.name) + "'", "inkstone connect list"});
  if (Status saved = connections->save(); !saved.ok()) return report(saved.error());
  std::error_code error;  // a token file that the person made elsewhere stays theirs
  if (is_home) fs::remove(connections->token_file(), error);
  return kOk;
}

int test_home(const HomeAssistantServer& server) {
  home_assistant::ConnectedHome home(server);
  const auto list = home.devices(home_context());
  if (list.problem) return report(error_of(kHomeName, *list.problem));
  std::map<std::string, int> kinds;
  for (const auto& device : list.devices) ++kinds[std::string(assistant::kind_name(device.kind))];
  std::string counted;
  for (const auto& [kind, count] : kinds) counted += ", " + kind + " " + std::to_string(count);
  output().write(std::string(kHomeName) + ": " + std::to_string(list.devices.size()) + " devices" + counted +
                 "\n");
  return kOk;
}

int test_connections(const ConnectFlags& flags) {
  const auto connections = read_connections();
  if (!connections.ok()) return report(connections.error());
  for (const auto& line : connections->notes()) note(printable(line));
  const auto wanted = [&](const std::string& name) { return !flags.name || *flags.name == name; };
  bool any = false, all_well = true;
  if (const auto& home = connections->home_assistant(); home && wanted(kHomeName)) {
    any = true;
    all_well = test_home(*home) == kOk && all_well;
  }
  for (const auto& server : connections->mcp_servers()) {
    if (!wanted(server.name) || (server.disabled && !flags.name)) continue;
    any = true;
    all_well = test_mcp(server) == kOk && all_well;
  }
  if (!any && flags.name)
    return report({ErrorKind::kNotFound, "connections", "",
                   "nothing is called '" + printable(*flags.name) + "'", "inkstone connect list"});
  return all_well ? kOk : kFailed;
}

void add_servers(CLI::App& connect, Action& action) {
  Command home(connect, "home-assistant",
               "Connect a Home Assistant; its token is asked for, or read from stdin");
  auto home_flags = std::make_shared<ConnectFlags>();
  Command::require(home.text("URL", home_flags->url, "Its address, such as http://homeassistant.local:8123"));
  home.runs(action, [home_flags] { return connect_home_assistant(*home_flags); });

  Command mcp(connect, "mcp", "Connect a server of tools that speaks the Model Context Protocol");
  auto mcp_flags = std::make_shared<ConnectFlags>();
  mcp.toggle("--trusted", mcp_flags->trusted,
             "Believe it which of its tools only read; all others ask first");
  mcp.toggle("--token", mcp_flags->token, "Ask for its bearer token, or read it from stdin");
  CLI::App* app = connect.get_subcommand("mcp");
  app->prefix_command();  // what follows the name belongs to the server's command
  app->footer(
      "After the flags:  NAME URL             a server that is reached by HTTP\n"
      "                  NAME COMMAND [ARGS]  a server that runs on this device");
  mcp.runs(action, [mcp_flags, app] { return connect_mcp(*mcp_flags, app->remaining()); });
}

}  // namespace

void add_connect_command(CLI::App& program, Action& action) {
  const Command command(program, "connect",
                        "Connect a Home Assistant or servers of tools, list and test them");
  CLI::App& connect = *program.get_subcommand("connect");
  connect.require_subcommand(1);
  add_servers(connect, action);

  Command list(connect, "list", "What is connected");
  auto list_flags = std::make_shared<ConnectFlags>();
  list.toggle("--json", list_flags->json, "As one JSON array");
  list.runs(action, [list_flags] { return list_connections(*list_flags); });

  Command remove(connect, "remove", "Forget a server, and the token of Home Assistant");
  auto remove_flags = std::make_shared<ConnectFlags>();
  Command::require(remove.text("NAME", remove_flags->name, "As `connect list` shows it"));
  remove.runs(action, [remove_flags] { return remove_connection(*remove_flags); });

  Command test(connect, "test", "Ask every server, or one, whether it answers");
  auto test_flags = std::make_shared<ConnectFlags>();
  test.text("NAME", test_flags->name, "As `connect list` shows it");
  test.runs(action, [test_flags] { return test_connections(*test_flags); });
}

}  // namespace ink::cli
