// Sizes and counts as people read them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace ink::cli {

// "12.3 MiB"
inline std::string size_text(uint64_t bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  char text[40];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

// "596 M", "30.5 B"
inline std::string count_text(uint64_t count) {
  char text[40];
  const double value = static_cast<double>(count);
  if (count < 1'000'000)
    std::snprintf(text, sizeof text, "%.0f K", value / 1e3);
  else if (count < 1'000'000'000)
    std::snprintf(text, sizeof text, "%.1f M", value / 1e6);
  else
    std::snprintf(text, sizeof text, "%.2f B", value / 1e9);
  return text;
}

}  // namespace ink::cli
