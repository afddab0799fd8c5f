// See services/assistant/device/battery.h.
#include "services/assistant/device/battery.h"

#include <fstream>
#include <string>

namespace ink::assistant {

std::optional<int> battery_percent(const std::filesystem::path& supplies) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(supplies, error)) {
    std::string type;
    std::ifstream(entry.path() / "type") >> type;
    int percent = -1;
    std::ifstream(entry.path() / "capacity") >> percent;
    // Mice and pens have batteries too; those say so in "scope".
    std::string scope;
    std::ifstream(entry.path() / "scope") >> scope;
    if (type == "Battery" && scope != "Device" && percent >= 0 && percent <= 100) return percent;
  }
  return std::nullopt;
}

}  // namespace ink::assistant
