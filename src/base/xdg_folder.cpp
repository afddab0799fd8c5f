// See base/xdg_folder.h.
#include "base/xdg_folder.h"

#include <cstdlib>

namespace ink {
namespace {

// Empty where the variable names no absolute path.
std::filesystem::path absolute_path_in(const char* variable) {
  const char* value = std::getenv(variable);
  const std::filesystem::path path = value == nullptr ? "" : value;
  return path.is_absolute() ? path : std::filesystem::path();
}

}  // namespace

std::filesystem::path xdg_folder(const char* variable, const char* below_home) {
  const std::filesystem::path chosen = absolute_path_in(variable);
  const std::filesystem::path home = absolute_path_in("HOME");
  return !chosen.empty() || home.empty() ? chosen : home / below_home;
}

}  // namespace ink
