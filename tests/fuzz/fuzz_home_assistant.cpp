// Home Assistant's lists from any bytes: {"states", "areas", "devices", "entities"}, of which anything may be
// missing or something else. Every device that is read has a place in the assistant's home and can be told
// to change, by service calls of its own domain.
#include <cstdint>
#include <cstdlib>

#include "services/home_assistant/devices.h"

namespace {

using namespace ink;
using assistant::Device;
using assistant::DeviceState;

void require(bool condition) {
  if (!condition) std::abort();
}

// Whatever the tools may ask for, right for the device or not.
std::vector<DeviceState> wishes() {
  std::vector<DeviceState> all(8);
  all[1].on = true;
  all[2].on = false;
  all[2].color = "red";
  all[3].percent = 40;
  all[3].color = "warm_white";
  all[4].temperature_c = 21.5;
  all[4].mode = "cool";
  all[4].fan = "low";
  all[5].activity = "start";
  all[5].target_room = "kitchen";
  all[6].activity = "open";
  all[7].locked = true;
  return all;
}

void check(const Device& device) {
  static const std::vector<DeviceState> kWishes = wishes();
  const size_t dot = device.id.find('.');
  require(dot != std::string::npos);
  if (device.state.percent) require(*device.state.percent >= 0 && *device.state.percent <= 100);
  for (const DeviceState& wanted : kWishes) {
    const home_assistant::ServiceCalls calls = home_assistant::calls_for(device, wanted);
    require(calls.cannot.empty() || calls.calls.empty());
    for (const home_assistant::ServiceCall& call : calls.calls) {
      require(call.domain == device.id.substr(0, dot));
      require(!call.service.empty() && call.data["entity_id"] == device.id);
      require(parse_json(call.data.dump(), "call").ok());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto lists = parse_json(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz.json");
  if (!lists.ok() || !lists->is_object()) return 0;
  const auto list = [&](const char* name) {
    const auto found = lists->find(name);
    return found != lists->end() && found->is_array() ? *found : Json::array();  // as the client checks it
  };
  const home_assistant::Registries registries{list("areas"), list("devices"), list("entities")};
  for (const Device& device : home_assistant::devices_of(lists->value("states", Json()), registries))
    check(device);
  return 0;
}
