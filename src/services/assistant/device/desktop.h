// Applications and files of a Linux desktop: .desktop entries (Desktop Entry Specification 1.5) found by any
// of their names in any language, and xdg-open. What is started is detached: it lives on when we end, hears
// nothing from our terminal, and never passes through a shell.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ink::assistant {

struct Application {
  std::string name;                // in its own default language
  std::vector<std::string> names;  // all of them, with translations and the generic names behind
  size_t own_names = 0;            // of `names`, those that are names and not "Web Browser"
  std::vector<std::string> command;
};

// One entry; nothing for what is hidden, no application, or needs a terminal.
std::optional<Application> read_desktop_entry(std::string_view text);

// $XDG_DATA_HOME and $XDG_DATA_DIRS, "applications" below each.
std::vector<std::filesystem::path> application_folders();
std::vector<Application> find_applications(const std::vector<std::filesystem::path>& folders);

// The one that is meant: a name that is equal, else one that contains the words, the shortest first; null:
// none.
const Application* choose_application(const std::vector<Application>& all, std::string_view words);

// Starts a program and lets it go. keeps_terminal: its stderr stays ours where that is a terminal. False when
// it could not be started.
bool start_detached(const std::vector<std::string>& command, bool keeps_terminal = false);

}  // namespace ink::assistant
