// Home Assistant's API as the assistant needs it: states and services by REST, the registries of areas,
// devices and entities by WebSocket (REST has none). The token goes into headers and messages only; no error,
// log or argument ever holds it.
#pragma once

#include <memory>
#include <string>

#include "services/assistant/tool.h"
#include "services/home_assistant/devices.h"
#include "services/process/connection.h"

namespace ink::home_assistant {

// A JSON answer, or why there is none.
struct Answer {
  Json value;
  std::optional<assistant::Problem> problem;
};

class Client {
 public:
  // url: "http://homeassistant.local:8123". connection must be allowed to reach it.
  Client(std::shared_ptr<Connection> connection, const std::string& url, std::string token);

  // {"version", "location_name", …}; what is asked to see whether address and token are right.
  Answer about(const assistant::CallContext& context);
  Answer states(const assistant::CallContext& context);
  Answer call(const ServiceCall& call, const assistant::CallContext& context);
  // Read once and kept: rooms change rarely. Fails as a whole.
  std::optional<assistant::Problem> read_registries(const assistant::CallContext& context);
  const Registries& registries() const { return registries_; }

 private:
  Answer request(const std::string& method, const std::string& path, const Json* body,
                 const assistant::CallContext& context);

  std::shared_ptr<Connection> connection_;
  std::string url_;  // without a / at its end
  std::string token_;
  Registries registries_;
};

}  // namespace ink::home_assistant
