// The desktop over D-Bus (libsystemd's sd-bus, chosen because it is on every Debian and needs no main loop):
// notifications and media players (MPRIS). Where there is no session bus or nobody answers, that is said,
// never guessed. Every call ends within two seconds.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/assistant/tool.h"

struct sd_bus;

namespace ink::assistant {

class Bus {
 public:
  // Null without a session bus.
  static std::unique_ptr<Bus> open();
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  // Whether somebody showed it.
  bool notify(const std::string& summary, const std::string& body);

  // The bus names of media players, the one that plays first.
  std::vector<std::string> players();
  // "Play", "Pause", "Next", "Previous". Nothing: it was done.
  std::optional<Problem> control(const std::string& player, const char* method);
  std::optional<double> volume(const std::string& player);  // 0 … 1
  std::optional<Problem> set_volume(const std::string& player, double volume);

 private:
  explicit Bus(sd_bus* bus) : bus_(bus) {}
  std::string playback_status(const std::string& player);
  sd_bus* bus_;
};

}  // namespace ink::assistant
