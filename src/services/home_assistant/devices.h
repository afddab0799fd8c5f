// From what Home Assistant tells to the devices of the assistant's home, and from a wanted change to the
// service calls that make it. Pure functions, so that they are tested without a server. Shapes: the REST
// API's /api/states and /api/services/DOMAIN/SERVICE, and the lists of the area, device and entity
// registries, as of 2024.3 (developers.home-assistant.io/docs/api).
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "services/assistant/home.h"

namespace ink::home_assistant {

struct Registries {  // each a list as the WebSocket API gives it; empty when it did not
  Json areas = Json::array();
  Json devices = Json::array();
  Json entities = Json::array();
};

// Entities of other kinds, hidden and disabled ones are left out. An entry that makes no sense is left out as
// well.
std::vector<assistant::Device> devices_of(const Json& states, const Registries& registries);

struct ServiceCall {
  std::string domain;   // "light"
  std::string service;  // "turn_on"
  Json data;            // with "entity_id"

  bool operator==(const ServiceCall&) const = default;
};

struct ServiceCalls {
  std::vector<ServiceCall> calls;  // in this order
  std::string cannot;              // what such a device cannot do; then there are no calls
};

ServiceCalls calls_for(const assistant::Device& device, const assistant::DeviceState& wanted);

}  // namespace ink::home_assistant
