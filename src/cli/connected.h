// What a person has connected (`inkstone connect`) and the assistant uses: the home, and servers of tools.
#pragma once

#include <memory>

#include "services/assistant/home.h"
#include "services/assistant/registry.h"
#include "services/assistant/state.h"
#include "services/mcp/servers.h"

namespace ink::cli {

// The Home Assistant of connections.json, opened when it is first needed; the demonstration home only when
// none is configured. A configuration that cannot be used is a home that says so: a lamp of the
// demonstration must never answer for a real one.
std::shared_ptr<assistant::Home> connected_home(const std::shared_ptr<assistant::State>& state);

// The MCP servers of connections.json. They begin to open with this object, side by side.
class ConnectedServers {
 public:
  explicit ConnectedServers(bool wanted);
  // Waits for them, a few seconds at most, and adds their tools, once; what is left out is noted.
  void add_to(assistant::Registry& registry);

 private:
  mcp::ComingTools coming_;
};

}  // namespace ink::cli
