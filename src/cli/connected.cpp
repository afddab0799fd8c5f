// See cli/connected.h.
#include "cli/connected.h"

#include "cli/output.h"
#include "services/assistant/demo_home.h"
#include "services/connections/connections.h"
#include "services/home_assistant/connected_home.h"

namespace ink::cli {
namespace {

// npx and its like need some seconds to start a server that they have fetched before.
constexpr std::chrono::seconds kServersPatience{10};

class UnusableHome final : public assistant::Home {
 public:
  explicit UnusableHome(std::string why) : why_(std::move(why)) {}
  assistant::DeviceList devices(const assistant::CallContext&) override {
    return {{}, assistant::Problem{assistant::problem::kUnauthorized, why_}};
  }
  std::optional<assistant::Problem> change(const assistant::Device&, const assistant::DeviceState&,
                                           const assistant::CallContext&) override {
    return assistant::Problem{assistant::problem::kUnauthorized, why_};
  }

 private:
  std::string why_;
};

}  // namespace

std::shared_ptr<assistant::Home> connected_home(const std::shared_ptr<assistant::State>& state) {
  const auto connections = Connections::read(Connections::default_folder());
  if (!connections.ok()) {
    note(printable(connections.error().message()));
    return std::make_shared<UnusableHome>(connections.error().message());
  }
  for (const auto& line : connections->notes()) note(printable(line));
  if (connections->home_assistant_is_wrong()) return std::make_shared<UnusableHome>("its entry is wrong");
  if (const auto& server = connections->home_assistant())
    return std::make_shared<home_assistant::ConnectedHome>(*server);
  return std::make_shared<assistant::DemoHome>(state);
}

ConnectedServers::ConnectedServers(bool wanted) {
  if (!wanted) return;
  const auto connections = Connections::read(Connections::default_folder());
  if (connections.ok()) coming_ = mcp::ComingTools::begin(connections->mcp_servers(), kServersPatience);
}

void ConnectedServers::add_to(assistant::Registry& registry) {
  for (const mcp::ServerTools& one : coming_.take()) {
    if (one.problem)
      note(one.server + ": no tools (" + one.problem->name + "): " + printable(one.problem->detail));
    for (const auto& line : one.named.left_out) note(one.server + ": left out: " + printable(line));
    for (const auto& tool : one.named.tools) {
      if (const Status added = registry.add(tool, "mcp:" + one.server); !added.ok())
        note(one.server + ": left out: " + printable(added.error().message()));
    }
  }
}

}  // namespace ink::cli
