// See services/home_assistant/connected_home.h.
#include "services/home_assistant/connected_home.h"

#include "base/address.h"
#include "services/connections/private_file.h"

namespace ink::home_assistant {

namespace problem = assistant::problem;
using assistant::CallContext;
using assistant::Device;
using assistant::DeviceState;
using assistant::Problem;

Result<Client> make_client(const std::string& url, std::string token, const std::string& program) {
  const auto address = parse_address(url);
  if (!address.ok()) return address.error();
  auto connection = Connection::start({address->host_and_port()}, program);
  if (!connection.ok()) return connection.error();
  return Client(std::move(*connection), url, std::move(token));
}

std::optional<Problem> ConnectedHome::open() {
  const std::lock_guard lock(mutex_);
  if (home_ != nullptr) return {};
  auto token = read_secret(server_.token_file);
  if (!token.ok()) return Problem{problem::kUnauthorized, token.error().message()};
  auto client = make_client(server_.url, std::move(*token), program_);
  if (!client.ok()) return Problem{problem::kUnreachable, client.error().message()};
  home_ = std::make_shared<HomeAssistant>(std::move(*client));
  return {};
}

assistant::DeviceList ConnectedHome::devices(const CallContext& context) {
  if (auto failed = open()) return {{}, std::move(failed)};
  return home_->devices(context);
}

std::optional<Problem> ConnectedHome::change(const Device& device, const DeviceState& wanted,
                                             const CallContext& context) {
  if (auto failed = open()) return failed;
  return home_->change(device, wanted, context);
}

}  // namespace ink::home_assistant
