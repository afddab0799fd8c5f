// The battery of this device, as Linux shows it.
#pragma once

#include <filesystem>
#include <optional>

namespace ink::assistant {

// In percent; nothing where there is no battery.
std::optional<int> battery_percent(const std::filesystem::path& supplies = "/sys/class/power_supply");

}  // namespace ink::assistant
