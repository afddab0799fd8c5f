// What a person has connected: connections.json, in the shape that other MCP clients use, so that an entry
// can be copied from one to the other:
//
//   {"mcpServers": {"files": {"command": "…", "args": ["…"], "env": {"…": "…"}, "cwd": "…"},
//                   "notes": {"url": "https://…", "headers": {"…": "…"}, "trusted": true, "disabled": true}},
//    "homeAssistant": {"url": "http://…:8123", "tokenFile": "home-assistant.token"}}
//
// Fields that are not known here are kept as they are. A wrong entry is a note and costs only itself. A file
// with "env" or "headers" may hold secrets and is refused when others can read it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ink {

struct McpServer {
  std::string name;
  std::vector<std::string> command;  // with its arguments; empty when it is reached by url
  std::map<std::string, std::string> environment;
  std::string folder;
  std::string url;
  std::map<std::string, std::string> headers;
  bool trusted = false;  // its word that a tool only reads is believed
  bool disabled = false;
};

struct HomeAssistantServer {
  std::string url;
  std::filesystem::path token_file;
};

class Connections {
 public:
  // $INKSTONE_HOME, else $XDG_CONFIG_HOME/inkstone, else ~/.config/inkstone; empty when there is none.
  static std::filesystem::path default_folder();

  // No file: nothing is connected. Errors: kInvalid (not JSON, readable for others), kIo, kTooLarge.
  static Result<Connections> read(const std::filesystem::path& folder);

  const std::vector<McpServer>& mcp_servers() const { return mcp_servers_; }
  const std::optional<HomeAssistantServer>& home_assistant() const { return home_assistant_; }
  // There is an entry for a Home Assistant, and it makes no sense.
  bool home_assistant_is_wrong() const { return home_assistant_is_wrong_; }
  const std::vector<std::string>& notes() const { return notes_; }  // wrong entries, one line each
  std::filesystem::path file() const { return folder_ / "connections.json"; }
  std::filesystem::path token_file() const { return folder_ / "home-assistant.token"; }

  // Each replaces what was there, except for the fields that are not known here. Kept by save().
  void set(const McpServer& server);
  void set(const HomeAssistantServer& server);
  bool remove_mcp(const std::string& name);  // whether it was there
  bool remove_home_assistant();
  Status save() const;  // errors: kIo

 private:
  void read_entries();
  std::filesystem::path folder_;
  Json document_ = Json::object();
  std::vector<McpServer> mcp_servers_;
  std::optional<HomeAssistantServer> home_assistant_;
  bool home_assistant_is_wrong_ = false;
  std::vector<std::string> notes_;
};

// A name that a person may give: letters, digits, _ and -, at most 32.
bool is_server_name(const std::string& name);

// One entry of "mcpServers". Errors: kInvalid with the field.
Result<McpServer> parse_mcp_server(const std::string& name, const Json& entry);

}  // namespace ink
