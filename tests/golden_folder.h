// Where the golden data is. INKSTONE_GOLDEN names one folder and nothing else is looked at; without it, the
// small set in tests/golden travels with the source and ../shared/golden is used besides when it is there.
// A test that finds nothing to compare with must fail: use require_golden_paths.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace ink::testing {

inline std::vector<std::filesystem::path> golden_folders() {
  namespace fs = std::filesystem;
  if (const char* chosen = std::getenv("INKSTONE_GOLDEN"); chosen != nullptr && *chosen != '\0')
    return {fs::path(chosen)};
  std::vector<fs::path> folders;
  const fs::path source = INK_SOURCE_DIR;
  for (const fs::path& folder : {source / "tests/golden", source / "../shared/golden"}) {
    if (fs::is_directory(folder)) folders.push_back(folder);
  }
  return folders;
}

// Every existing `relative` path below the golden folders; adds a test failure when there is none.
inline std::vector<std::filesystem::path> require_golden_paths(const std::string& relative) {
  std::vector<std::filesystem::path> found;
  for (const auto& folder : golden_folders()) {
    if (std::filesystem::exists(folder / relative)) found.push_back(folder / relative);
  }
  if (found.empty()) ADD_FAILURE() << "no golden data: " << relative << " is in none of the golden folders";
  return found;
}

}  // namespace ink::testing
