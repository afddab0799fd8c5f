// The MCP servers that a person has configured, opened side by side in the background while a model loads.
// Each has the same few seconds; one that is away, broken or slow costs a note and its own tools.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "services/connections/connections.h"
#include "services/mcp/tools.h"

namespace ink::mcp {

// A client for one configured server; opens nothing yet. program: as Connection::start takes it.
std::shared_ptr<Client> client_for(const McpServer& server, const std::string& program = "");

struct ServerTools {
  std::string server;
  NamedTools named;
  std::optional<Problem> problem;  // then there are no tools
};

// Servers that are being asked for their tools.
class ComingTools {
 public:
  // Those that are not disabled.
  static ComingTools begin(const std::vector<McpServer>& servers, std::chrono::milliseconds patience);
  // In the order of the configuration. Waits for the slowest, at most until the patience is over.
  std::vector<ServerTools> take();

 private:
  std::vector<std::future<ServerTools>> coming_;
};

}  // namespace ink::mcp
