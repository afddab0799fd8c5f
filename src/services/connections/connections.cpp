// See services/connections/connections.h.
#include "services/connections/connections.h"

#include <algorithm>
#include <cstdlib>

#include "base/address.h"
#include "base/xdg_folder.h"
#include "services/connections/private_file.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServers = "mcpServers";
constexpr const char* kHome = "homeAssistant";

Error wrong(const std::string& where, const char* wanted) {
  return {ErrorKind::kInvalid, where, wanted, "something else", ""};
}

// An object by this name, made when there is none or another thing.
Json& object_at(Json& parent, const std::string& name) {
  if (!parent.contains(name) || !parent[name].is_object()) parent[name] = Json::object();
  return parent[name];
}

Result<std::map<std::string, std::string>> texts_by_name(const Json& entry, const char* field) {
  std::map<std::string, std::string> result;
  const auto found = entry.find(field);
  if (found == entry.end()) return result;
  if (!found->is_object()) return wrong(field, "an object");
  for (const auto& [name, value] : found->items()) {
    const bool right = value.is_string() && !name.empty() && name.find('=') == std::string::npos;
    if (!right) return wrong(field, "texts by name");
    result[name] = value.get<std::string>();
  }
  return result;
}

Result<std::string> text_field(const Json& entry, const char* field) {
  const auto found = entry.find(field);
  if (found == entry.end()) return std::string();
  if (!found->is_string()) return wrong(field, "a text");
  return found->get<std::string>();
}

Status read_command(const Json& entry, McpServer& server) {
  const auto command = text_field(entry, "command");
  if (!command.ok()) return command.error();
  if (command->empty()) return Done{};
  server.command.push_back(*command);
  const Json arguments = entry.value("args", Json::array());
  if (!arguments.is_array()) return wrong("args", "a list of texts");
  for (const Json& argument : arguments) {
    if (!argument.is_string()) return wrong("args", "a list of texts");
    server.command.push_back(argument);
  }
  return Done{};
}

Status check_url(const std::string& url) {
  const auto address = parse_address(url);
  if (!address.ok()) return address.error();
  if (!url.starts_with("http")) return wrong("url", "http:// or https://");
  return Done{};
}

// Whether other people's eyes on this file could do harm.
bool may_hold_secrets(const Json& document) {
  const Json servers = document.value(kServers, Json());
  if (!servers.is_object()) return false;
  return std::any_of(servers.begin(), servers.end(), [](const Json& entry) {
    return entry.is_object() && (entry.contains("env") || entry.contains("headers"));
  });
}

template <typename T>
void put(Json& entry, const char* field, const T& value) {
  if (value == T())
    entry.erase(field);
  else
    entry[field] = value;
}

}  // namespace

bool is_server_name(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 32 && name[0] != '-' && std::all_of(name.begin(), name.end(), fits);
}

Result<McpServer> parse_mcp_server(const std::string& name, const Json& entry) {
  if (!entry.is_object()) return wrong(name, "an object");
  McpServer server;
  server.name = name;
  if (Status read = read_command(entry, server); !read.ok()) return read.error();
  auto environment = texts_by_name(entry, "env");
  auto headers = texts_by_name(entry, "headers");
  auto folder = text_field(entry, "cwd");
  auto url = text_field(entry, "url");
  if (!environment.ok()) return environment.error();
  if (!headers.ok()) return headers.error();
  if (!folder.ok()) return folder.error();
  if (!url.ok()) return url.error();
  if (server.command.empty() == url->empty()) return wrong(name, "either a command or a url");
  if (!url->empty()) {
    if (Status right = check_url(*url); !right.ok()) return right.error();
  }
  server.environment = std::move(*environment);
  server.headers = std::move(*headers);
  server.folder = std::move(*folder);
  server.url = std::move(*url);
  server.trusted = entry.value("trusted", Json()) == true;
  server.disabled = entry.value("disabled", Json()) == true;
  return server;
}

fs::path Connections::default_folder() {
  const char* chosen = std::getenv("INKSTONE_HOME");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  const fs::path config = xdg_folder("XDG_CONFIG_HOME", ".config");
  return config.empty() ? config : config / "inkstone";
}

Result<Connections> Connections::read(const fs::path& folder) {
  Connections connections;
  connections.folder_ = folder;
  if (folder.empty()) return connections;
  const auto file = read_small_file(connections.file());
  if (!file.ok() && file.error().kind == ErrorKind::kNotFound) return connections;
  if (!file.ok()) return file.error();
  auto document = parse_json(file->text, connections.file().string());
  if (!document.ok()) return document.error();
  if (!document->is_object()) return wrong(connections.file().string(), "an object");
  if (!file->is_private && may_hold_secrets(*document)) return not_private(connections.file());
  connections.document_ = std::move(*document);
  connections.read_entries();
  return connections;
}

void Connections::read_entries() {
  const Json servers = document_.value(kServers, Json::object());
  if (!servers.is_object()) notes_.push_back(wrong(kServers, "an object").message());
  if (servers.is_object()) {
    for (const auto& [name, entry] : servers.items()) {
      auto server = parse_mcp_server(name, entry);
      if (server.ok())
        mcp_servers_.push_back(std::move(*server));
      else
        notes_.push_back(name + " is left out: " + server.error().message());
    }
  }
  const auto home = document_.find(kHome);
  if (home == document_.end()) return;
  const auto url = home->is_object() ? text_field(*home, "url") : std::string();
  const auto token = home->is_object() ? text_field(*home, "tokenFile") : std::string();
  if (!url.ok() || !token.ok() || token->empty() || !check_url(*url).ok()) {
    home_assistant_is_wrong_ = true;
    notes_.push_back(std::string(kHome) + " is left out: it needs a url and a tokenFile");
    return;
  }
  home_assistant_ = HomeAssistantServer{*url, folder_ / *token};  // an absolute path stays what it is
}

void Connections::set(const McpServer& server) {
  Json& entry = object_at(object_at(document_, kServers), server.name);
  const std::vector<std::string>& command = server.command;
  put(entry, "command", command.empty() ? std::string() : command[0]);
  put(entry, "args",
      command.empty() ? std::vector<std::string>()
                      : std::vector<std::string>(command.begin() + 1, command.end()));
  put(entry, "env", server.environment);
  put(entry, "cwd", server.folder);
  put(entry, "url", server.url);
  put(entry, "headers", server.headers);
  put(entry, "trusted", server.trusted);
  put(entry, "disabled", server.disabled);
  std::erase_if(mcp_servers_, [&](const McpServer& one) { return one.name == server.name; });
  mcp_servers_.push_back(server);
}

void Connections::set(const HomeAssistantServer& server) {
  Json& entry = object_at(document_, kHome);
  entry["url"] = server.url;
  const bool beside = server.token_file.parent_path() == folder_;
  entry["tokenFile"] = (beside ? server.token_file.filename() : server.token_file).string();
  home_assistant_ = server;
}

bool Connections::remove_mcp(const std::string& name) {
  std::erase_if(mcp_servers_, [&](const McpServer& one) { return one.name == name; });
  const auto servers = document_.find(kServers);
  return servers != document_.end() && servers->is_object() && servers->erase(name) > 0;
}

bool Connections::remove_home_assistant() {
  home_assistant_.reset();
  return document_.erase(kHome) > 0;
}

Status Connections::save() const {
  if (folder_.empty())
    return Error{ErrorKind::kIo, "connections.json", "a folder", "none", "set HOME or INKSTONE_HOME"};
  return write_private_file(file(), document_.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace ink
