// Reading: one function a kind of entity. The entity's room is that of its own area, else of its device's
// area, else the one that its name speaks of.
#include "services/home_assistant/devices.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/json_pointer.h"
#include "services/home_assistant/words.h"

namespace ink::home_assistant {
namespace {

using assistant::Device;
using assistant::DeviceKind;
using assistant::DeviceState;

std::optional<double> number_of(const Json& object, const char* key) {
  const Json* found = find_member(object, key);
  if (found == nullptr || !found->is_number()) return {};
  return found->get<double>();
}

std::optional<int> percent(std::optional<double> value, double of = 100) {
  if (!value) return {};
  return std::clamp(static_cast<int>(std::lround(*value / of * 100)), 0, 100);
}

struct Placement {
  std::map<std::string, std::string> area_room;    // area id -> room of the catalogue
  std::map<std::string, std::string> device_area;  // device id -> area id
  std::map<std::string, std::string> entity_area;  // entity id -> area id, its own or its device's
  std::map<std::string, bool> left_out;            // entity ids that are hidden or disabled
};

Placement place(const Registries& registries) {
  Placement result;
  for (const Json& area : registries.areas)
    result.area_room[text_member(area, "area_id")] = room_in(text_member(area, "name"));
  for (const Json& device : registries.devices)
    result.device_area[text_member(device, "id")] = text_member(device, "area_id");
  for (const Json& entity : registries.entities) {
    const std::string id = text_member(entity, "entity_id");
    const std::string own = text_member(entity, "area_id");
    result.entity_area[id] = own.empty() ? result.device_area[text_member(entity, "device_id")] : own;
    if (!text_member(entity, "hidden_by").empty() || !text_member(entity, "disabled_by").empty())
      result.left_out[id] = true;
  }
  return result;
}

std::string room_of(const std::string& id, const std::string& name, Placement& placement) {
  const std::string area = placement.entity_area[id];
  if (!area.empty()) {
    const std::string& room = placement.area_room[area];
    return room.empty() ? room_in(area) : room;
  }
  const std::string room = room_in(name);
  return room.empty() ? room_in(id.substr(id.find('.') + 1)) : room;
}

// Red, green and blue at full brightness, as set_light's colors are shown.
struct Color {
  const char* name;
  std::array<int, 3> rgb;
};
constexpr auto kColors = std::to_array<Color>({{"red", {255, 0, 0}},
                                               {"orange", {255, 128, 0}},
                                               {"yellow", {255, 220, 0}},
                                               {"green", {0, 255, 0}},
                                               {"blue", {0, 0, 255}},
                                               {"purple", {150, 0, 255}},
                                               {"pink", {255, 105, 180}}});
constexpr int kWarmKelvin = 2700;
constexpr int kCoolKelvin = 5500;

void read_light(const Json& attributes, DeviceState& state) {
  state.percent = percent(number_of(attributes, "brightness"), 255);
  const std::string mode = text_member(attributes, "color_mode");
  if (const auto kelvin = number_of(attributes, "color_temp_kelvin"); kelvin && mode == "color_temp")
    state.color = *kelvin < (kWarmKelvin + kCoolKelvin) / 2.0 ? "warm_white" : "cool_white";
  const Json* rgb = find_member(attributes, "rgb_color");
  const bool colored =
      rgb != nullptr && rgb->is_array() && rgb->size() == 3 && mode != "color_temp" &&
      std::all_of(rgb->begin(), rgb->end(), [](const Json& part) { return part.is_number(); });
  if (!colored) return;
  double nearest = 1e9;
  for (const Color& color : kColors) {
    double distance = 0;
    for (size_t i = 0; i < 3; i++) distance += std::pow((*rgb)[i].get<double>() - color.rgb[i], 2);
    if (distance < nearest) {
      nearest = distance;
      state.color = color.name;
    }
  }
}

void read_climate(const std::string& value, const Json& attributes, DeviceState& state) {
  state.temperature_c = number_of(attributes, "temperature");
  state.mode = value == "heat_cool" ? "auto" : value;
  if (value == "off") state.mode.reset();
  if (const std::string fan = text_member(attributes, "fan_mode"); !fan.empty()) state.fan = fan;
}

// What kind of thing the entity is to the assistant; false: none.
bool classify(const std::string& domain, const std::string& what_for, Device& device) {
  const std::string named = device.name + " " + device.id;
  if (domain == "light") {
    device.kind = DeviceKind::kLight;
  } else if (domain == "climate") {
    device.kind = DeviceKind::kClimate;
  } else if (domain == "cover") {
    device.kind = DeviceKind::kCurtain;
    return what_for.empty() || what_for == "curtain" || what_for == "blind" || what_for == "shade" ||
           what_for == "shutter";
  } else if (domain == "vacuum") {
    device.kind = DeviceKind::kVacuum;
  } else if (domain == "lock") {
    device.kind = DeviceKind::kLock;
    device.what = room_in(named) == "car" ? "car" : "home";
  } else if (domain == "scene" || domain == "script") {
    device.kind = DeviceKind::kScene;
    device.what = scene_in(named);
    return !device.what.empty();
  } else {
    device.kind = DeviceKind::kAppliance;
    device.what = appliance_in(named);
    if (domain == "fan" && device.what.empty()) device.what = "fan";
    if (domain == "humidifier" && device.what.empty())
      device.what = what_for == "dehumidifier" ? "dehumidifier" : "humidifier";
    if (domain == "water_heater") device.what = "water_heater";
    if (domain == "media_player" && device.what.empty() && what_for == "tv") device.what = "tv";
    if (domain == "switch" && device.what.empty() && what_for == "outlet") device.what = "plug";
    const bool switched = domain == "switch" || domain == "fan" || domain == "humidifier" ||
                          domain == "water_heater" || domain == "media_player" || domain == "input_boolean";
    return switched && !device.what.empty();
  }
  return true;
}

void read_state(const std::string& value, const Json& attributes, Device& device) {
  DeviceState& state = device.state;
  switch (device.kind) {
    case DeviceKind::kLight:
      state.on = value == "on";
      read_light(attributes, state);
      break;
    case DeviceKind::kClimate:
      state.on = value != "off";
      read_climate(value, attributes, state);
      break;
    case DeviceKind::kCurtain:
      state.percent = percent(number_of(attributes, "current_position"));
      if (!state.percent) state.percent = value == "closed" ? 0 : 100;
      break;
    case DeviceKind::kVacuum:
      state.activity = value == "cleaning"                    ? "start"
                       : value == "paused" || value == "idle" ? "pause"
                                                              : "dock";
      break;
    case DeviceKind::kLock:
      state.locked = value == "locked";
      break;
    case DeviceKind::kScene:
      break;
    default:
      state.on = value != "off" && value != "standby";
  }
}

}  // namespace

std::vector<Device> devices_of(const Json& states, const Registries& registries) {
  Placement placement = place(registries);
  std::vector<Device> devices;
  if (!states.is_array()) return devices;
  for (const Json& entity : states) {
    Device device;
    device.id = text_member(entity, "entity_id");
    const size_t dot = device.id.find('.');
    if (dot == std::string::npos || placement.left_out.contains(device.id)) continue;
    const Json attributes = entity.value("attributes", Json::object());
    const std::string value = text_member(entity, "state");
    device.name = text_member(attributes, "friendly_name");
    if (!classify(device.id.substr(0, dot), text_member(attributes, "device_class"), device)) continue;
    device.room = room_of(device.id, device.name, placement);
    device.reachable = value != "unavailable" && value != "unknown";
    // A scene's state is when it was last run, and unknown until then.
    if (device.kind == DeviceKind::kScene) device.reachable = value != "unavailable";
    read_state(value, attributes, device);
    devices.push_back(std::move(device));
  }
  return devices;
}

namespace {

std::string domain_of(const Device& device) { return device.id.substr(0, device.id.find('.')); }

ServiceCalls one(const Device& device, const std::string& service, Json data = Json::object()) {
  data["entity_id"] = device.id;
  return {{{domain_of(device), service, std::move(data)}}, ""};
}

ServiceCalls cannot(const std::string& what) { return {{}, what}; }

ServiceCalls light_calls(const Device& device, const DeviceState& wanted) {
  const bool off = wanted.on == false || wanted.percent == 0;
  if (off && !wanted.color) return one(device, "turn_off");
  Json data = Json::object();
  if (wanted.percent) data["brightness_pct"] = *wanted.percent;
  if (wanted.color == "warm_white" || wanted.color == "cool_white")
    data["color_temp_kelvin"] = wanted.color == "warm_white" ? kWarmKelvin : kCoolKelvin;
  for (const Color& color : kColors)
    if (wanted.color == color.name) data["rgb_color"] = color.rgb;
  return one(device, "turn_on", std::move(data));
}

ServiceCalls climate_calls(const Device& device, const DeviceState& wanted) {
  ServiceCalls result;
  const auto add = [&](const char* service, Json data) {
    data["entity_id"] = device.id;
    result.calls.push_back({"climate", service, std::move(data)});
  };
  if (wanted.on == false) return one(device, "turn_off");
  if (wanted.mode)
    add("set_hvac_mode", {{"hvac_mode", *wanted.mode}});
  else if (wanted.on == true)
    add("turn_on", Json::object());
  if (wanted.temperature_c) add("set_temperature", {{"temperature", *wanted.temperature_c}});
  if (wanted.fan) add("set_fan_mode", {{"fan_mode", *wanted.fan}});
  return result;
}

ServiceCalls curtain_calls(const Device& device, const DeviceState& wanted) {
  if (wanted.activity == "stop") return one(device, "stop_cover");
  if (wanted.activity == "open" || wanted.percent == 100) return one(device, "open_cover");
  if (wanted.activity == "close" || wanted.percent == 0) return one(device, "close_cover");
  if (wanted.percent) return one(device, "set_cover_position", {{"position", *wanted.percent}});
  return cannot("a curtain opens, closes, stops or goes to a position");
}

ServiceCalls vacuum_calls(const Device& device, const DeviceState& wanted) {
  const bool one_room = wanted.target_room && !wanted.target_room->empty() && *wanted.target_room != "all";
  if (one_room && wanted.activity == "start") return cannot("a vacuum of Home Assistant knows no rooms");
  if (wanted.activity == "start") return one(device, "start");
  if (wanted.activity == "pause") return one(device, "pause");
  if (wanted.activity == "dock") return one(device, "return_to_base");
  return cannot("a vacuum starts, pauses or goes home");
}

}  // namespace

ServiceCalls calls_for(const Device& device, const DeviceState& wanted) {
  switch (device.kind) {
    case DeviceKind::kLight:
      return light_calls(device, wanted);
    case DeviceKind::kClimate:
      return climate_calls(device, wanted);
    case DeviceKind::kCurtain:
      return curtain_calls(device, wanted);
    case DeviceKind::kVacuum:
      return vacuum_calls(device, wanted);
    case DeviceKind::kLock:
      if (!wanted.locked) return cannot("a lock locks or unlocks");
      return one(device, *wanted.locked ? "lock" : "unlock");
    case DeviceKind::kScene:
      return one(device, "turn_on");
    default:
      if (!wanted.on) return cannot("it switches on or off");
      return one(device, *wanted.on ? "turn_on" : "turn_off");
  }
}

}  // namespace ink::home_assistant
