// `inkstone home`: the demonstration home as a table, room by room.
#include <memory>

#include "cli/assistant_setup.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "services/assistant/demo_home.h"
#include "services/assistant/home_change.h"

namespace ink::cli {
namespace {

struct HomeFlags {
  bool json = false;
  bool reset = false;
};

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// "on, 80 %, warm_white"
std::string state_text(const assistant::Device& device) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  const Json state = assistant::state_json(device.state);
  const bool is_off = device.state.on == false;
  for (const auto& [name, value] : state.items()) {
    if (name == "on") {
      add(value.get<bool>() ? "on" : "off");
    } else if (is_off) {
      continue;  // how bright a lamp would be is not what it is
    } else if (name == "locked") {
      add(value.get<bool>() ? "locked" : "unlocked");
    } else if (name == "percent") {
      add(value_text(value) + " %");
    } else if (name == "temperature_c") {
      add(value_text(value) + " °C");
    } else if (name == "range_km") {
      add(value_text(value) + " km");
    } else if (name == "power_w") {
      add(value_text(value) + " W");
    } else if (name == "energy_kwh") {
      add(value_text(value) + " kWh");
    } else {
      add(name == "level" ? "level " + value_text(value) : value_text(value));
    }
  }
  return text;
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

void print_table(const std::vector<assistant::Device>& devices) {
  std::vector<std::string> rooms;
  for (const auto& device : devices) {
    if (std::find(rooms.begin(), rooms.end(), device.room) == rooms.end()) rooms.push_back(device.room);
  }
  for (const auto& room : rooms) {
    std::string shown_room = room.empty() ? "-" : room;
    for (const auto& device : devices) {
      if (device.room != room || device.kind == assistant::DeviceKind::kScene) continue;
      std::string name(assistant::kind_name(device.kind));
      if (device.kind == assistant::DeviceKind::kAppliance) name = device.what;
      const bool says_which = !device.what.empty() && device.what != room && name != device.what;
      if (says_which) name += " " + device.what;
      output().write(padded(shown_room, 16) + padded(name, 20) + state_text(device) + "\n");
      shown_room.clear();
    }
  }
}

int home(const HomeFlags& flags) {
  const auto state = assistant_state();
  assistant::DemoHome demo(state);
  if (flags.reset) {
    if (const auto problem = demo.reset()) return report({ErrorKind::kIo, "home", "", problem->detail, ""});
  }
  const assistant::DeviceList list = demo.devices({});
  if (list.problem) return report({ErrorKind::kIo, "home", "", list.problem->detail, ""});
  if (!flags.json) {
    print_table(list.devices);
    return kOk;
  }
  Json all = Json::array();
  for (const auto& device : list.devices) {
    if (device.kind == assistant::DeviceKind::kScene) continue;
    all.push_back({{"id", device.id},
                   {"kind", assistant::kind_name(device.kind)},
                   {"room", device.room},
                   {"what", device.what},
                   {"state", assistant::state_json(device.state)}});
  }
  output().write_json(all);
  return kOk;
}

}  // namespace

void add_home_command(CLI::App& program, Action& action) {
  Command command(program, "home", "Show the demonstration home that `ask` acts on");
  auto flags = std::make_shared<HomeFlags>();
  command.toggle("--json", flags->json, "As one JSON array");
  command.toggle("--reset", flags->reset, "Put everything back as it was built");
  command.runs(action, [flags] { return home(*flags); });
}

}  // namespace ink::cli
