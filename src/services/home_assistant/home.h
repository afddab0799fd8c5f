// A Home Assistant as the home of the assistant's tools.
#pragma once

#include <memory>
#include <mutex>

#include "services/assistant/home.h"
#include "services/home_assistant/client.h"

namespace ink::home_assistant {

class HomeAssistant : public assistant::Home {
 public:
  explicit HomeAssistant(Client client) : client_(std::move(client)) {}

  assistant::DeviceList devices(const assistant::CallContext& context) override;
  std::optional<assistant::Problem> change(const assistant::Device& device,
                                           const assistant::DeviceState& wanted,
                                           const assistant::CallContext& context) override;

 private:
  std::mutex mutex_;
  Client client_;
  bool knows_rooms_ = false;
};

}  // namespace ink::home_assistant
