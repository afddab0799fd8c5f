// The Home Assistant that a person has connected. Nothing is read or started before the first call for a
// device, and a token or program that is missing then is a problem of that call.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "services/connections/connections.h"
#include "services/home_assistant/home.h"

namespace ink::home_assistant {

// For a token that was read already. program: as Connection::start takes it. Errors: kInvalid (the url),
// kNotFound or kIo (inkstone-connect).
Result<Client> make_client(const std::string& url, std::string token, const std::string& program = "");

class ConnectedHome final : public assistant::Home {
 public:
  explicit ConnectedHome(HomeAssistantServer server, std::string program = "")
      : server_(std::move(server)), program_(std::move(program)) {}

  assistant::DeviceList devices(const assistant::CallContext& context) override;
  std::optional<assistant::Problem> change(const assistant::Device& device,
                                           const assistant::DeviceState& wanted,
                                           const assistant::CallContext& context) override;

 private:
  std::optional<assistant::Problem> open();
  HomeAssistantServer server_;
  std::string program_;
  std::mutex mutex_;
  std::shared_ptr<HomeAssistant> home_;  // null: not yet opened
};

}  // namespace ink::home_assistant
