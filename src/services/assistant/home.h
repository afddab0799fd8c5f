// A home as the home tools (home_tools.h) see it: a list of devices, and a way to change one. Which devices a
// sentence means, what "a bit brighter" comes to, and what is said afterwards is written once, in the tools;
// the demonstration home and Home Assistant only list and change. Rooms and words are the catalogue's
// ("living_room", "warm_white"), so a Home translates its own names into them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/assistant/tool.h"

namespace ink::assistant {

enum class DeviceKind {
  kLight,
  kClimate,
  kCurtain,
  kAppliance,  // what: "tv", "fan", …
  kVacuum,
  kLock,    // what: "home" or "car"
  kScene,   // what: "movie", …
  kWindow,  // of the car; what: "driver", "passenger", "rear_left", "rear_right", "sunroof"
  kSeat,    // of the car; what: "driver", "passenger", "rear"
  kDefog,   // of the car; what: "front", "rear"
  kBoot,    // of the car
  kBattery  // of the car (room "car"), and the home's electricity meter (room empty)
};

// What is known of a device, or what is to be changed of it. A field that the device does not have, or that
// is not to be changed, is empty.
struct DeviceState {
  std::optional<bool> on;               // lights, climate, appliances, defog; scenes: true runs it
  std::optional<int> percent;           // brightness; how far open a curtain, window or boot is; charge
  std::optional<std::string> color;     // set_light's "color"
  std::optional<double> temperature_c;  // that the climate aims at
  std::optional<std::string> mode;      // set_climate's "mode"
  std::optional<std::string> fan;       // set_climate's "fan"
  std::optional<std::string> activity;  // vacuum: "start", "pause", "dock"; curtain: "open", "close", "stop"
  std::optional<std::string> target_room;  // vacuum: the room it cleans; empty or "all": everywhere
  std::optional<bool> locked;
  std::optional<int> level;          // seat heating 0 … 3
  std::optional<double> range_km;    // battery
  std::optional<double> power_w;     // battery: charging with; meter: used now
  std::optional<double> energy_kwh;  // meter: used today
};

struct Device {
  std::string id;  // the home's own: "light.kitchen_ceiling"
  DeviceKind kind = DeviceKind::kLight;
  std::string room;  // a room of the catalogue, "car", or empty: in none of them
  std::string name;  // as people named it; may be empty
  std::string what;  // which one of its kind, see DeviceKind
  DeviceState state;
  bool reachable = true;
};

struct DeviceList {
  std::vector<Device> devices;
  std::optional<Problem> problem;  // then the list is empty
};

class Home {
 public:
  virtual ~Home() = default;

  // All devices with their present state.
  virtual DeviceList devices(const CallContext& context) = 0;

  // Changes one device; what it cannot do is a problem, never passed over. Nothing: it is done, and the home
  // confirmed it. A change that holds already is no problem.
  virtual std::optional<Problem> change(const Device& device, const DeviceState& wanted,
                                        const CallContext& context) = 0;
};

}  // namespace ink::assistant
