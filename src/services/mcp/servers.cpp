// See services/mcp/servers.h.
#include "services/mcp/servers.h"

#include "base/address.h"
#include "services/mcp/transport_http.h"
#include "services/mcp/transport_stdio.h"

namespace ink::mcp {
namespace {

using Opened = Result<std::unique_ptr<Transport>>;

Opened open_child(const McpServer& server) {
  Child::Command command;
  command.arguments = server.command;
  command.environment = server.environment;
  command.folder = server.folder;
  command.max_line_bytes = kMostLineBytes;
  auto child = Child::start(command, false);
  if (!child.ok()) return child.error();
  return std::unique_ptr<Transport>(std::make_unique<StdioTransport>(std::move(*child)));
}

Opened open_http(const McpServer& server, const std::string& program) {
  const auto address = parse_address(server.url);
  if (!address.ok()) return address.error();
  auto connection = Connection::start({address->host_and_port()}, program);
  if (!connection.ok()) return connection.error();
  return std::unique_ptr<Transport>(
      std::make_unique<HttpTransport>(std::move(*connection), server.url, server.headers));
}

}  // namespace

std::shared_ptr<Client> client_for(const McpServer& server, const std::string& program) {
  return std::make_shared<Client>(
      [server, program] { return server.url.empty() ? open_child(server) : open_http(server, program); });
}

ComingTools ComingTools::begin(const std::vector<McpServer>& servers, std::chrono::milliseconds patience) {
  ComingTools coming;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (const McpServer& server : servers) {
    if (server.disabled) continue;
    coming.coming_.push_back(std::async(std::launch::async, [server, deadline] {
      const auto client = client_for(server);
      ToolList list = client->list_tools({deadline, {}});
      ServerTools result{server.name, {}, std::move(list.problem)};
      if (!result.problem) result.named = named_tools(client, server.name, server.trusted, list.tools);
      return result;
    }));
  }
  return coming;
}

std::vector<ServerTools> ComingTools::take() {
  std::vector<ServerTools> all;
  for (auto& one : coming_) all.push_back(one.get());
  coming_.clear();
  return all;
}

}  // namespace ink::mcp
