// The folders of one person on this machine, as the XDG base directory specification has them.
#pragma once

#include <filesystem>

namespace ink {

// What the environment variable names, else `below_home` in $HOME: xdg_folder("XDG_DATA_HOME",
// ".local/share"). Relative paths count as not set; empty when there is neither.
std::filesystem::path xdg_folder(const char* variable, const char* below_home);

}  // namespace ink
