// See services/assistant/home_tools.h. Each tool: which devices are meant, what each is to become, change
// them one after the other, and say what truly came of it; with several devices some may fail.
#include "services/assistant/home_tools.h"

#include <algorithm>
#include <array>

#include "services/assistant/device/battery.h"
#include "services/assistant/home_change.h"

namespace ink::assistant {
namespace {

constexpr int kBrightnessStep = 20;  // of 100: plainly seen, and five steps from dark to bright

std::optional<int> number_of(const Json& arguments, const char* name) {
  const auto found = arguments.find(name);
  return found != arguments.end() && found->is_number() ? std::optional(found->get<int>()) : std::nullopt;
}

std::optional<bool> switched(const Json& arguments) {
  const std::string state = text_argument(arguments, "state");
  return state.empty() ? std::nullopt : std::optional(state == "on");
}

int direction(const std::string& step) { return step == "up" ? 1 : -1; }

DeviceState light_change(const Json& arguments, const DeviceState& now) {
  DeviceState wanted;
  wanted.on = switched(arguments);
  wanted.percent = number_of(arguments, "brightness_percent");
  if (const std::string step = text_argument(arguments, "brightness_step"); !step.empty()) {
    const bool is_off = now.on == false;
    if (is_off && step == "down") {
      wanted.on = false;  // darker than off there is nothing
    } else {
      // Dimming stops at a glimmer: "darker" does not mean off.
      const int from = is_off ? 0 : now.percent.value_or(50);
      wanted.percent = std::clamp(from + direction(step) * kBrightnessStep, 5, 100);
    }
  }
  if (const std::string color = text_argument(arguments, "color"); !color.empty()) wanted.color = color;
  const bool has_value = wanted.percent || wanted.color;
  if (has_value && !wanted.on) wanted.on = wanted.percent.value_or(1) > 0;
  if (wanted.on == false) wanted.percent.reset();
  return wanted;
}

DeviceState climate_change(const Json& arguments, const DeviceState& now) {
  static constexpr std::array<const char*, 3> kFans = {"low", "medium", "high"};
  DeviceState wanted;
  wanted.on = switched(arguments);
  if (const std::string mode = text_argument(arguments, "mode"); !mode.empty()) wanted.mode = mode;
  if (const auto degrees = number_of(arguments, "temperature_c")) wanted.temperature_c = *degrees;
  if (const std::string step = text_argument(arguments, "temperature_step"); !step.empty())
    wanted.temperature_c = std::clamp(now.temperature_c.value_or(24) + direction(step), 16.0, 30.0);
  if (const std::string fan = text_argument(arguments, "fan"); !fan.empty()) wanted.fan = fan;
  if (const std::string step = text_argument(arguments, "fan_step"); !step.empty()) {
    const auto at = std::find(kFans.begin(), kFans.end(), now.fan.value_or("medium"));
    const int from = at == kFans.end() ? 1 : static_cast<int>(at - kFans.begin());
    wanted.fan = kFans[static_cast<size_t>(std::clamp(from + direction(step), 0, 2))];
  }
  const bool has_value = wanted.mode || wanted.temperature_c || wanted.fan;
  if (has_value && !wanted.on) wanted.on = true;
  return wanted;
}

DeviceState curtain_change(const Json& arguments) {
  DeviceState wanted;
  wanted.percent = number_of(arguments, "percent");
  const std::string action = text_argument(arguments, "action");
  if (action == "stop") wanted.activity = action;
  if (action == "open" && !wanted.percent) wanted.percent = 100;
  if (action == "close" && !wanted.percent) wanted.percent = 0;
  return wanted;
}

bool changes_nothing(const DeviceState& wanted) { return state_json(wanted).empty(); }

// What was asked for as a list of values for the sentence: [60%, warm white].
Json values_of(const DeviceState& wanted, const char* percent_phrase) {
  Json values = Json::array();
  if (wanted.mode) values.push_back({{"phrase", "value.mode"}, {"slots", {{"mode", *wanted.mode}}}});
  if (wanted.temperature_c)
    values.push_back({{"phrase", "value.degrees"}, {"slots", {{"degrees", *wanted.temperature_c}}}});
  if (wanted.fan) values.push_back({{"phrase", "value.fan"}, {"slots", {{"fan", *wanted.fan}}}});
  if (wanted.percent)
    values.push_back({{"phrase", percent_phrase}, {"slots", {{"percent", *wanted.percent}}}});
  if (wanted.color) values.push_back({{"phrase", "value.color"}, {"slots", {{"color", *wanted.color}}}});
  return values;
}

// "set_light.on", ".off", or ".set" with its values.
Words switch_words(const std::string& name, const Json& slots, const DeviceState& wanted) {
  Json all = slots;
  all["values"] = values_of(wanted, "value.percent");
  if (wanted.on == false) return {name + ".off", slots};
  return {name + (all["values"].empty() ? ".on" : ".set"), all};
}

// Several devices were each moved a step: "set_light.up".
Words step_words(const std::string& name, const Selection& selection, const std::string& step) {
  if (step.empty()) return {};
  return {name + "." + step, room_slot(selection)};
}

Outcome set_light(Home& home, const Json& arguments, const CallContext& context) {
  const Selection selection{DeviceKind::kLight, text_argument(arguments, "room"), {}};
  return change_devices(home, selection, context, [&](const Device& device) {
    const DeviceState wanted = light_change(arguments, device.state);
    return Change{wanted, switch_words("set_light", room_slot(selection), wanted),
                  step_words("set_light", selection, text_argument(arguments, "brightness_step"))};
  });
}

Outcome set_climate(Home& home, const Json& arguments, const CallContext& context) {
  const Selection selection{DeviceKind::kClimate, text_argument(arguments, "room"), {}};
  return change_devices(home, selection, context, [&](const Device& device) {
    const DeviceState wanted = climate_change(arguments, device.state);
    return Change{wanted, switch_words("set_climate", room_slot(selection), wanted),
                  step_words("set_climate", selection, text_argument(arguments, "temperature_step"))};
  });
}

Outcome set_curtain(Home& home, const Json& arguments, const CallContext& context) {
  const Selection selection{DeviceKind::kCurtain, text_argument(arguments, "room"), {}};
  const DeviceState wanted = curtain_change(arguments);
  if (changes_nothing(wanted)) return failed(problem::kInvalid, "neither an action nor a percent");
  Json slots = room_slot(selection);
  std::string phrase = "set_curtain.stop";
  if (wanted.percent) {
    phrase = *wanted.percent == 0     ? "set_curtain.close"
             : *wanted.percent == 100 ? "set_curtain.open"
                                      : "set_curtain.set";
    slots["percent"] = *wanted.percent;
  }
  return change_devices(home, selection, context, [&](const Device&) {
    return Change{wanted, {phrase, slots}, {}};
  });
}

Outcome set_appliance(Home& home, const Json& arguments, const CallContext& context) {
  const std::string what = text_argument(arguments, "appliance");
  const Selection selection{DeviceKind::kAppliance, text_argument(arguments, "room"), {what}};
  DeviceState wanted;
  wanted.on = switched(arguments);
  Json slots = room_slot(selection);
  slots["appliance"] = what;
  const std::string phrase = wanted.on == true ? "set_appliance.on" : "set_appliance.off";
  return change_devices(home, selection, context, [&](const Device&) {
    return Change{wanted, {phrase, slots}, {}};
  });
}

Outcome control_vacuum(Home& home, const Json& arguments, const CallContext& context) {
  const std::string room = text_argument(arguments, "room");
  const std::string action = text_argument(arguments, "action");
  DeviceState wanted;
  wanted.activity = action;
  if (action == "start") wanted.target_room = room.empty() ? "all" : room;
  Json slots = Json::object();
  if (!room.empty() && room != "all") slots["room"] = room;
  return change_devices(home, {DeviceKind::kVacuum, "", {}}, context, [&](const Device&) {
    return Change{wanted, {"control_vacuum." + action, slots}, {}};
  });
}

Outcome set_door_lock(Home& home, const Json& arguments, const CallContext& context) {
  const std::string door = text_argument(arguments, "door");
  DeviceState wanted;
  wanted.locked = text_argument(arguments, "action") == "lock";
  const std::string phrase = std::string("set_door_lock.") + (*wanted.locked ? "lock" : "unlock");
  return change_devices(home, {DeviceKind::kLock, "", {door}}, context, [&](const Device&) {
    return Change{wanted, {phrase, {{"door", door}}}, {}};
  });
}

Risk lock_risk(const Json& arguments) {
  return text_argument(arguments, "action") == "lock" ? Risk::kHarmless : Risk::kAsksFirst;
}

Outcome run_scene(Home& home, const Json& arguments, const CallContext& context) {
  const std::string scene = text_argument(arguments, "scene");
  DeviceState wanted;
  wanted.on = true;
  return change_devices(home, {DeviceKind::kScene, "", {scene}}, context, [&](const Device&) {
    return Change{wanted, {"run_scene", {{"scene", scene}}}, {}};
  });
}

// The windows that a word stands for; no word: all of them, but not the roof.
std::vector<std::string> windows_named(const std::string& position) {
  if (position == "front") return {"driver", "passenger"};
  if (position == "rear") return {"rear_left", "rear_right"};
  if (position.empty() || position == "all") return {"driver", "passenger", "rear_left", "rear_right"};
  return {position};
}

Outcome set_window(Home& home, const Json& arguments, const CallContext& context) {
  const std::string position = text_argument(arguments, "position");
  DeviceState wanted;
  wanted.percent = number_of(arguments, "percent");
  const std::string phrase = wanted.percent == 0     ? "set_window.close"
                             : wanted.percent == 100 ? "set_window.open"
                                                     : "set_window.set";
  Json slots = {{"position", position.empty() ? "all" : position}, {"percent", *wanted.percent}};
  return change_devices(home, {DeviceKind::kWindow, "car", windows_named(position)}, context,
                        [&](const Device&) {
                          return Change{wanted, {phrase, slots}, {}};
                        });
}

Outcome set_seat_heating(Home& home, const Json& arguments, const CallContext& context) {
  const std::string seat =
      text_argument(arguments, "seat").empty() ? "driver" : text_argument(arguments, "seat");
  DeviceState wanted;
  wanted.level = number_of(arguments, "level");
  const std::string phrase = *wanted.level == 0 ? "set_seat_heating.off" : "set_seat_heating.set";
  const Json slots = {{"seat", seat}, {"level", *wanted.level}};
  return change_devices(home, {DeviceKind::kSeat, "car", {seat}}, context, [&](const Device&) {
    return Change{wanted, {phrase, slots}, {}};
  });
}

Outcome set_defog(Home& home, const Json& arguments, const CallContext& context) {
  const std::string position = text_argument(arguments, "position");
  DeviceState wanted;
  wanted.on = switched(arguments);
  const std::vector<std::string> which =
      position.empty() ? std::vector<std::string>{} : std::vector<std::string>{position};
  Json slots = Json::object();
  if (!position.empty()) slots["position"] = position;
  const std::string phrase = *wanted.on ? "set_defog.on" : "set_defog.off";
  return change_devices(home, {DeviceKind::kDefog, "car", which}, context, [&](const Device&) {
    return Change{wanted, {phrase, slots}, {}};
  });
}

Outcome set_trunk(Home& home, const Json& arguments, const CallContext& context) {
  const bool opens = text_argument(arguments, "action") != "close";
  DeviceState wanted;
  wanted.percent = opens ? 100 : 0;
  return change_devices(home, {DeviceKind::kBoot, "car", {}}, context, [&](const Device&) {
    return Change{wanted, {opens ? "set_trunk.open" : "set_trunk.close", Json::object()}, {}};
  });
}

Risk trunk_risk(const Json& arguments) {
  return text_argument(arguments, "action") == "close" ? Risk::kHarmless : Risk::kAsksFirst;
}

Outcome get_charge_status(Home& home, const Json&, const CallContext& context) {
  const DeviceList list = home.devices(context);
  if (list.problem) return failed(*list.problem);
  for (const auto& device : list.devices) {
    if (device.kind != DeviceKind::kBattery || device.room != "car") continue;
    if (!device.reachable || !device.state.percent) return failed(problem::kUnreachable);
    Json slots = {{"percent", *device.state.percent}};
    if (device.state.range_km) slots["range"] = *device.state.range_km;
    const bool charging = device.state.power_w.value_or(0) > 0;
    return done(charging ? "get_charge_status.charging" : "get_charge_status", slots,
                state_json(device.state));
  }
  return failed(problem::kNotConnected);
}

// This device's battery, or the home's electricity; batteries of phones and watches are not ours to know.
Outcome get_power_status(Home& home, const Json& arguments, const CallContext& context) {
  const std::string target = text_argument(arguments, "target");
  if (target.empty()) {
    const auto percent = battery_percent();
    if (!percent) return failed("no_battery");
    return done("get_power_status", {{"percent", *percent}}, {{"percent", *percent}});
  }
  if (target != "home") return failed(problem::kNotConnected);
  const DeviceList list = home.devices(context);
  if (list.problem) return failed(*list.problem);
  for (const auto& device : list.devices) {
    if (device.kind != DeviceKind::kBattery || device.room == "car") continue;
    Json slots = Json::object();
    if (device.state.power_w) slots["watts"] = *device.state.power_w;
    if (device.state.energy_kwh) slots["kwh"] = *device.state.energy_kwh;
    return done("get_power_status.home", slots, state_json(device.state));
  }
  return failed(problem::kNotConnected);
}

}  // namespace

Tools home_tools(const std::vector<Json>& catalogue, const std::shared_ptr<Home>& home) {
  Tools tools;
  add_declared(tools, catalogue, "set_light", bound(home, set_light));
  add_declared(tools, catalogue, "set_climate", bound(home, set_climate));
  add_declared(tools, catalogue, "set_curtain", bound(home, set_curtain));
  add_declared(tools, catalogue, "set_appliance", bound(home, set_appliance));
  add_declared(tools, catalogue, "control_vacuum", bound(home, control_vacuum));
  add_declared(tools, catalogue, "set_door_lock", bound(home, set_door_lock), lock_risk);
  add_declared(tools, catalogue, "run_scene", bound(home, run_scene));
  add_declared(tools, catalogue, "set_window", bound(home, set_window));
  add_declared(tools, catalogue, "set_seat_heating", bound(home, set_seat_heating));
  add_declared(tools, catalogue, "set_defog", bound(home, set_defog));
  add_declared(tools, catalogue, "set_trunk", bound(home, set_trunk), trunk_risk);
  add_declared(tools, catalogue, "get_charge_status", bound(home, get_charge_status));
  add_declared(tools, catalogue, "get_power_status", bound(home, get_power_status));
  return tools;
}

}  // namespace ink::assistant
