// See services/assistant/device/bus.h. Specifications: MPRIS 2.2, Desktop Notifications 1.2.
#include "services/assistant/device/bus.h"

#include <systemd/sd-bus.h>

#include <algorithm>
#include <cstdlib>

namespace ink::assistant {
namespace {

constexpr uint64_t kTimeoutUs = 2'000'000;
constexpr const char* kPlayerPrefix = "org.mpris.MediaPlayer2.";
constexpr const char* kPlayerPath = "/org/mpris/MediaPlayer2";
constexpr const char* kPlayerInterface = "org.mpris.MediaPlayer2.Player";

// An error of one call; frees what it names.
struct BusError {
  BusError() = default;
  ~BusError() { sd_bus_error_free(&error); }
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
  sd_bus_error error{};  // SD_BUS_ERROR_NULL is a C literal
};

struct Free {
  void operator()(void* memory) const { std::free(memory); }
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};

Problem problem_from(const BusError& error) {
  const bool no_answer = sd_bus_error_has_name(&error.error, SD_BUS_ERROR_NO_REPLY) != 0 ||
                         sd_bus_error_has_name(&error.error, SD_BUS_ERROR_TIMEOUT) != 0;
  return {no_answer ? problem::kTimedOut : problem::kRefused,
          error.error.name == nullptr ? "" : error.error.name};
}

}  // namespace

std::unique_ptr<Bus> Bus::open() {
  sd_bus* bus = nullptr;
  if (sd_bus_open_user(&bus) < 0) return nullptr;
  sd_bus_set_method_call_timeout(bus, kTimeoutUs);
  return std::unique_ptr<Bus>(new Bus(bus));
}

Bus::~Bus() { sd_bus_flush_close_unref(bus_); }

bool Bus::notify(const std::string& summary, const std::string& body) {
  BusError error;
  return sd_bus_call_method(bus_, "org.freedesktop.Notifications", "/org/freedesktop/Notifications",
                            "org.freedesktop.Notifications", "Notify", &error.error, nullptr, "susssasa{sv}i",
                            "Inkstone", 0U, "alarm-symbolic", summary.c_str(), body.c_str(), 0, 0, -1) >= 0;
}

std::string Bus::playback_status(const std::string& player) {
  BusError error;
  char* raw = nullptr;
  if (sd_bus_get_property_string(bus_, player.c_str(), kPlayerPath, kPlayerInterface, "PlaybackStatus",
                                 &error.error, &raw) < 0)
    return "";
  const std::unique_ptr<char, Free> status(raw);
  return status.get();
}

std::vector<std::string> Bus::players() {
  BusError error;
  sd_bus_message* raw = nullptr;
  std::vector<std::string> found;
  if (sd_bus_call_method(bus_, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                         "ListNames", &error.error, &raw, "") < 0)
    return found;
  const std::unique_ptr<sd_bus_message, Free> reply(raw);
  if (sd_bus_message_enter_container(raw, 'a', "s") < 0) return found;
  const char* name = nullptr;
  while (sd_bus_message_read(raw, "s", &name) > 0) {
    if (std::string_view(name).starts_with(kPlayerPrefix)) found.emplace_back(name);
  }
  std::stable_partition(found.begin(), found.end(),
                        [this](const std::string& player) { return playback_status(player) == "Playing"; });
  return found;
}

std::optional<Problem> Bus::control(const std::string& player, const char* method) {
  BusError error;
  const int called = sd_bus_call_method(bus_, player.c_str(), kPlayerPath, kPlayerInterface, method,
                                        &error.error, nullptr, "");
  return called < 0 ? std::optional(problem_from(error)) : std::nullopt;
}

std::optional<double> Bus::volume(const std::string& player) {
  BusError error;
  double volume = 0;
  const int read = sd_bus_get_property_trivial(bus_, player.c_str(), kPlayerPath, kPlayerInterface, "Volume",
                                               &error.error, 'd', &volume);
  return read < 0 ? std::nullopt : std::optional(volume);
}

std::optional<Problem> Bus::set_volume(const std::string& player, double volume) {
  BusError error;
  const int set = sd_bus_set_property(bus_, player.c_str(), kPlayerPath, kPlayerInterface, "Volume",
                                      &error.error, "d", volume);
  return set < 0 ? std::optional(problem_from(error)) : std::nullopt;
}

}  // namespace ink::assistant
