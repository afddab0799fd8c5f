// See services/assistant/home_change.h.
#include "services/assistant/home_change.h"

#include <algorithm>

#include "base/json_pointer.h"

namespace ink::assistant {
namespace {

bool is_meant(const Device& device, const Selection& selection) {
  if (device.kind != selection.kind) return false;
  if (!selection.what.empty() &&
      std::find(selection.what.begin(), selection.what.end(), device.what) == selection.what.end())
    return false;
  if (selection.room == "all" || selection.room.empty())
    return device.room != "car" || device.kind == DeviceKind::kLock;
  return device.room == selection.room;
}

// Whether a sentence without a room means every such device of the home.
bool means_all(const Selection& selection) {
  return selection.room == "all" || !selection.room.empty() || selection.kind == DeviceKind::kLight ||
         selection.kind == DeviceKind::kCurtain || selection.kind == DeviceKind::kWindow;
}

// Calls visit(name in JSON, field) for each field.
template <typename State, typename Visit>
void each_field(State& state, const Visit& visit) {
  visit("on", state.on);
  visit("percent", state.percent);
  visit("color", state.color);
  visit("temperature_c", state.temperature_c);
  visit("mode", state.mode);
  visit("fan", state.fan);
  visit("activity", state.activity);
  visit("target_room", state.target_room);
  visit("locked", state.locked);
  visit("level", state.level);
  visit("range_km", state.range_km);
  visit("power_w", state.power_w);
  visit("energy_kwh", state.energy_kwh);
}

template <typename T>
void take(const Json& json, const char* name, std::optional<T>& value) {
  const Json* found = find_member(json, name);
  if (found == nullptr) return;
  if constexpr (std::is_same_v<T, bool>) {
    if (found->is_boolean()) value = found->get<bool>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (found->is_string()) value = found->get<std::string>();
  } else {
    if (found->is_number()) value = found->get<T>();
  }
}

// One word for the kind of thing that was not found.
Json missing_slots(const Selection& selection) {
  Json slots = room_slot(selection);
  slots["thing"] = kind_name(selection.kind);
  if (selection.kind == DeviceKind::kAppliance && !selection.what.empty())
    slots["thing"] = selection.what.front();
  return slots;
}

std::optional<Problem> change_one(Home& home, const Device& device, const DeviceState& wanted,
                                  const CallContext& context) {
  if (context.stop.stop_requested()) return Problem{problem::kTimedOut, device.id};
  if (!device.reachable) return Problem{problem::kUnreachable, device.id};
  return home.change(device, wanted, context);
}

Outcome partly(size_t made, size_t all, const Problem& last) {
  Outcome outcome = failed(last.name, last.detail);
  if (made == 0) return outcome;
  outcome.words = {"partly", {{"done", made}, {"left", all - made}}};
  return outcome;
}

}  // namespace

std::vector<Device> selected(const std::vector<Device>& devices, const Selection& selection) {
  std::vector<Device> meant;
  for (const auto& device : devices) {
    if (is_meant(device, selection)) meant.push_back(device);
  }
  if (means_all(selection) || meant.size() < 2) return meant;
  if (!selection.what.empty() && selection.kind != DeviceKind::kAppliance) return meant;
  const auto here = std::find_if(meant.begin(), meant.end(),
                                 [](const Device& device) { return device.room == "living_room"; });
  return {here == meant.end() ? meant.front() : *here};
}

Outcome change_devices(Home& home, const Selection& selection, const CallContext& context,
                       const ChangeFunction& change) {
  const DeviceList list = home.devices(context);
  if (list.problem) return failed(*list.problem);
  const std::vector<Device> meant = selected(list.devices, selection);
  if (meant.empty()) return failed("no_device", "", missing_slots(selection));
  Words words;
  Json data = Json::array();
  size_t made = 0;
  bool held_already = true;
  std::optional<Problem> last;
  for (const auto& device : meant) {
    const Change one = change(device);
    const bool first = data.empty();
    if (first || (words.phrase == one.words.phrase && words.slots == one.words.slots))
      words = one.words;
    else
      words = one.general;
    const std::optional<Problem> problem = change_one(home, device, one.wanted, context);
    data.push_back({{"device", device.id}});
    if (problem) data.back()["problem"] = problem->name;
    if (problem) last = problem;
    made += problem ? 0 : 1;
    held_already = held_already && state_json(changed(device.state, one.wanted)) == state_json(device.state);
  }
  if (held_already) words.phrase += ".already";
  Outcome outcome = last ? partly(made, meant.size(), *last) : done(words.phrase, words.slots);
  outcome.data = {{"devices", data}};
  return outcome;
}

Json room_slot(const Selection& selection) {
  return selection.room.empty() ? Json::object() : Json{{"room", selection.room}};
}

Json state_json(const DeviceState& state) {
  Json json = Json::object();
  each_field(state, [&](const char* name, const auto& value) {
    if (value) json[name] = *value;
  });
  return json;
}

DeviceState state_of(const Json& json) {
  DeviceState state;
  each_field(state, [&](const char* name, auto& value) { take(json, name, value); });
  return state;
}

DeviceState changed(const DeviceState& now, const DeviceState& wanted) {
  Json json = state_json(now);
  json.update(state_json(wanted));
  return state_of(json);
}

std::string_view kind_name(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kLight:
      return "light";
    case DeviceKind::kClimate:
      return "climate";
    case DeviceKind::kCurtain:
      return "curtain";
    case DeviceKind::kAppliance:
      return "appliance";
    case DeviceKind::kVacuum:
      return "vacuum";
    case DeviceKind::kLock:
      return "lock";
    case DeviceKind::kScene:
      return "scene";
    case DeviceKind::kWindow:
      return "window";
    case DeviceKind::kSeat:
      return "seat";
    case DeviceKind::kDefog:
      return "defog";
    case DeviceKind::kBoot:
      return "boot";
    case DeviceKind::kBattery:
      break;
  }
  return "battery";
}

}  // namespace ink::assistant
