// See services/assistant/demo_home.h.
#include "services/assistant/demo_home.h"

#include <algorithm>
#include <array>

#include "services/assistant/home_change.h"

namespace ink::assistant {
namespace {

constexpr std::array<const char*, 10> kRooms = {"living_room", "dining_room", "kitchen", "master_bedroom",
                                                "bedroom",     "kids_room",   "study",   "bathroom",
                                                "hallway",     "balcony"};

Device make(DeviceKind kind, const std::string& room, const std::string& what, DeviceState state) {
  std::string id(kind_name(kind));
  if (!room.empty()) id += "." + room;
  if (!what.empty() && what != room) id += "." + what;
  return {id, kind, room, "", what, std::move(state), true};
}

DeviceState lamp() {
  DeviceState state;
  state.on = false;
  state.percent = 80;
  state.color = "warm_white";
  return state;
}

DeviceState climate() {
  DeviceState state;
  state.on = false;
  state.mode = "auto";
  state.temperature_c = 24;
  state.fan = "auto";
  return state;
}

DeviceState switched(bool on) {
  DeviceState state;
  state.on = on;
  return state;
}

DeviceState open_by(int percent) {
  DeviceState state;
  state.percent = percent;
  return state;
}

DeviceState locked(bool is_locked) {
  DeviceState state;
  state.locked = is_locked;
  return state;
}

DeviceState docked() {
  DeviceState state;
  state.activity = "dock";
  state.percent = 100;  // of its battery
  return state;
}

void add_rooms(std::vector<Device>& home) {
  for (const char* room : kRooms) home.push_back(make(DeviceKind::kLight, room, "", lamp()));
  for (const char* room : {"living_room", "dining_room", "master_bedroom", "bedroom", "kids_room", "study"})
    home.push_back(make(DeviceKind::kClimate, room, "", climate()));
  for (const char* room : {"living_room", "master_bedroom", "bedroom", "kids_room", "study", "balcony"})
    home.push_back(make(DeviceKind::kCurtain, room, "", open_by(100)));
}

void add_appliances(std::vector<Device>& home) {
  struct Place {
    const char* what;
    const char* room;
  };
  static constexpr std::array<Place, 18> kPlaces = {{{"tv", "living_room"},
                                                     {"tv", "master_bedroom"},
                                                     {"fan", "living_room"},
                                                     {"fan", "bedroom"},
                                                     {"humidifier", "master_bedroom"},
                                                     {"dehumidifier", "study"},
                                                     {"air_purifier", "living_room"},
                                                     {"air_purifier", "kids_room"},
                                                     {"water_heater", "bathroom"},
                                                     {"kettle", "kitchen"},
                                                     {"rice_cooker", "kitchen"},
                                                     {"oven", "kitchen"},
                                                     {"dishwasher", "kitchen"},
                                                     {"range_hood", "kitchen"},
                                                     {"washing_machine", "balcony"},
                                                     {"plug", "living_room"},
                                                     {"plug", "study"},
                                                     {"plug", "bedroom"}}};
  for (const auto& place : kPlaces)
    home.push_back(make(DeviceKind::kAppliance, place.room, place.what, switched(false)));
}

void add_car(std::vector<Device>& home) {
  home.push_back(make(DeviceKind::kLight, "car", "", lamp()));
  home.push_back(make(DeviceKind::kClimate, "car", "", climate()));
  home.push_back(make(DeviceKind::kLock, "car", "car", locked(true)));
  for (const char* window : {"driver", "passenger", "rear_left", "rear_right", "sunroof"})
    home.push_back(make(DeviceKind::kWindow, "car", window, open_by(0)));
  DeviceState cold;
  cold.level = 0;
  for (const char* seat : {"driver", "passenger", "rear"})
    home.push_back(make(DeviceKind::kSeat, "car", seat, cold));
  for (const char* glass : {"front", "rear"})
    home.push_back(make(DeviceKind::kDefog, "car", glass, switched(false)));
  home.push_back(make(DeviceKind::kBoot, "car", "", open_by(0)));
  DeviceState battery = open_by(76);
  battery.range_km = 342;
  battery.power_w = 0;
  home.push_back(make(DeviceKind::kBattery, "car", "", battery));
}

std::vector<Device> as_built() {
  std::vector<Device> home;
  add_rooms(home);
  add_appliances(home);
  home.push_back(make(DeviceKind::kVacuum, "", "", docked()));
  home.push_back(make(DeviceKind::kLock, "hallway", "home", locked(true)));
  for (const char* scene : {"home", "away", "sleep", "wake_up", "movie", "reading", "dinner", "party"})
    home.push_back(make(DeviceKind::kScene, "", scene, {}));
  add_car(home);
  DeviceState meter;
  meter.power_w = 412;
  meter.energy_kwh = 6.3;
  home.push_back(make(DeviceKind::kBattery, "", "meter", meter));
  return home;
}

// What a scene does: each step changes all devices of a kind in a room ("": everywhere at home).
struct SceneStep {
  const char* scene;
  DeviceKind kind;
  const char* room;
  const char* state;  // JSON of the fields that change
};
constexpr SceneStep kScenes[] = {
    {"home", DeviceKind::kLight, "living_room", R"({"on": true, "percent": 80, "color": "warm_white"})"},
    {"home", DeviceKind::kLight, "hallway", R"({"on": true, "percent": 60})"},
    {"home", DeviceKind::kCurtain, "living_room", R"({"percent": 100})"},
    {"away", DeviceKind::kLight, "", R"({"on": false})"},
    {"away", DeviceKind::kClimate, "", R"({"on": false})"},
    {"away", DeviceKind::kAppliance, "", R"({"on": false})"},
    {"away", DeviceKind::kLock, "hallway", R"({"locked": true})"},
    {"sleep", DeviceKind::kLight, "", R"({"on": false})"},
    {"sleep", DeviceKind::kCurtain, "", R"({"percent": 0})"},
    {"sleep", DeviceKind::kLock, "hallway", R"({"locked": true})"},
    {"wake_up", DeviceKind::kCurtain, "", R"({"percent": 100})"},
    {"wake_up", DeviceKind::kLight, "master_bedroom",
     R"({"on": true, "percent": 40, "color": "warm_white"})"},
    {"movie", DeviceKind::kLight, "living_room", R"({"on": true, "percent": 10, "color": "warm_white"})"},
    {"movie", DeviceKind::kCurtain, "living_room", R"({"percent": 0})"},
    {"reading", DeviceKind::kLight, "study", R"({"on": true, "percent": 100, "color": "cool_white"})"},
    {"dinner", DeviceKind::kLight, "dining_room", R"({"on": true, "percent": 70, "color": "warm_white"})"},
    {"party", DeviceKind::kLight, "living_room", R"({"on": true, "percent": 100, "color": "purple"})"},
    {"party", DeviceKind::kLight, "dining_room", R"({"on": true, "percent": 100, "color": "pink"})"},
};

// Fields that this kind of thing does not have are refused, not passed over.
bool can_have(const Device& device, const DeviceState& wanted) {
  if (device.kind == DeviceKind::kScene) return true;
  const Json known = state_json(device.state);
  const Json asked = state_json(wanted);
  const auto is_known = [&](const auto& item) {
    return known.contains(item.key()) || item.key() == "activity" || item.key() == "target_room";
  };
  for (const auto& item : asked.items()) {
    if (!is_known(item)) return false;
  }
  return true;
}

std::vector<Device> present(const Json& rows) {
  std::vector<Device> home = as_built();
  for (const auto& row : rows) {
    const auto kept = parse_json(row["state"].get<std::string>(), "devices");
    const auto device = std::find_if(
        home.begin(), home.end(), [&](const Device& one) { return one.id == row["id"].get<std::string>(); });
    if (kept.ok() && device != home.end()) device->state = changed(device->state, state_of(*kept));
  }
  return home;
}

}  // namespace

DeviceList DemoHome::devices(const CallContext&) {
  if (!state_->begun()) return {as_built(), std::nullopt};
  const auto database = state_->database();
  if (!database.ok()) return {{}, problem_of(database.error())};
  const auto rows = (*database)->run("SELECT id, state FROM devices");
  if (!rows.ok()) return {{}, problem_of(rows.error())};
  return {present(*rows), std::nullopt};
}

std::optional<Problem> DemoHome::write(Database& database, const Device& device, const DeviceState& wanted) {
  if (!can_have(device, wanted)) return Problem{problem::kInvalid, device.id};
  const Json becomes = state_json(changed(device.state, wanted));
  if (becomes == state_json(device.state)) return std::nullopt;
  const std::string state = becomes.dump();
  const auto written =
      database.run("INSERT OR REPLACE INTO devices (id, state) VALUES (?, ?)", {device.id, state});
  return written.ok() ? std::nullopt : std::optional(problem_of(written.error()));
}

std::optional<Problem> DemoHome::run_scene(Database& database, const std::string& scene) {
  const DeviceList list = devices({});
  if (list.problem) return list.problem;
  std::vector<Device> home = list.devices;
  for (const auto& step : kScenes) {
    if (scene != step.scene) continue;
    const DeviceState wanted = state_of(Json::parse(step.state));
    for (auto& device : home) {
      const bool here = *step.room == '\0' ? device.room != "car" : device.room == step.room;
      if (device.kind != step.kind || !here) continue;
      if (const auto problem = write(database, device, wanted)) return problem;
      device.state = changed(device.state, wanted);
    }
  }
  return std::nullopt;
}

std::optional<Problem> DemoHome::change(const Device& device, const DeviceState& wanted, const CallContext&) {
  const auto database = state_->database();
  if (!database.ok()) return problem_of(database.error());
  std::optional<Problem> problem;
  const Status kept = (*database)->transact([&]() -> Status {
    problem = device.kind == DeviceKind::kScene ? run_scene(**database, device.what)
                                                : write(**database, device, wanted);
    if (!problem) return Done{};
    return Error{ErrorKind::kIo, "devices", "", problem->detail, ""};  // undoes what a scene had begun
  });
  if (!kept.ok() && !problem) problem = problem_of(kept.error());
  return problem;
}

std::optional<Problem> DemoHome::reset() {
  const auto database = state_->database();
  if (!database.ok()) return problem_of(database.error());
  const auto emptied = (*database)->run("DELETE FROM devices");
  return emptied.ok() ? std::nullopt : std::optional(problem_of(emptied.error()));
}

}  // namespace ink::assistant
