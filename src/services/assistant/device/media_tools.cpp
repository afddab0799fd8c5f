// See services/assistant/device/media_tools.h.
#include "services/assistant/device/media_tools.h"

#include <algorithm>
#include <cmath>

#include "services/assistant/device/bus.h"

namespace ink::assistant {
namespace {

constexpr double kVolumeStep = 0.1;

// The bus and the player to speak to, or why there is none.
struct Player {
  std::unique_ptr<Bus> bus;
  std::string name;
  std::optional<Outcome> fault;
};

Player find_player() {
  Player player;
  player.bus = Bus::open();
  if (player.bus == nullptr) {
    player.fault = failed("no_bus");
    return player;
  }
  const auto players = player.bus->players();
  if (players.empty())
    player.fault = failed("no_player");
  else
    player.name = players.front();
  return player;
}

Outcome control(const std::string& action, const std::string& phrase) {
  const Player player = find_player();
  if (player.fault) return *player.fault;
  const char* method = action == "play"    ? "Play"
                       : action == "next"  ? "Next"
                       : action == "pause" ? "Pause"
                                           : "Previous";
  if (const auto problem = player.bus->control(player.name, method)) return failed(*problem);
  return done(phrase, Json::object(), {{"player", player.name}});
}

Outcome media_control(const Json& arguments, const CallContext&) {
  const auto action = arguments["action"].get<std::string>();
  return control(action, "media_control." + action);
}

Outcome play_music(const Json& arguments, const CallContext&) {
  if (arguments.contains("query")) {
    const Player player = find_player();
    return player.fault ? *player.fault : failed("no_music_search");
  }
  return control("play", "play_music");
}

Outcome set_volume(const Json& arguments, const CallContext&) {
  if (!arguments.contains("percent") && !arguments.contains("step")) return failed(problem::kInvalid);
  const Player player = find_player();
  if (player.fault) return *player.fault;
  const auto now = player.bus->volume(player.name);
  if (!now) return failed(problem::kRefused, "it tells no volume");
  double wanted = *now;
  if (arguments.contains("step")) wanted += arguments["step"] == "up" ? kVolumeStep : -kVolumeStep;
  if (arguments.contains("percent")) wanted = arguments["percent"].get<int>() / 100.0;
  wanted = std::clamp(wanted, 0.0, 1.0);
  if (const auto problem = player.bus->set_volume(player.name, wanted)) return failed(*problem);
  // Players round, and some do not listen: what it tells now is what is said.
  const double heard = player.bus->volume(player.name).value_or(wanted);
  const int percent = static_cast<int>(std::lround(heard * 100));
  if (std::fabs(heard - wanted) > 0.05) return failed(problem::kRefused, "the volume did not change");
  return done(percent == 0 ? "set_volume.mute" : "set_volume", {{"percent", percent}},
              {{"percent", percent}});
}

}  // namespace

Tools media_tools(const std::vector<Json>& catalogue) {
  Tools tools;
  add_declared(tools, catalogue, "set_volume", set_volume);
  add_declared(tools, catalogue, "media_control", media_control);
  add_declared(tools, catalogue, "play_music", play_music);
  return tools;
}

}  // namespace ink::assistant
