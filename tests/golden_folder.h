// Where the golden data is. INKSTONE_GOLDEN names one folder and nothing else is looked at; without it, the
// small set in tests/golden travels with the source and ../shared/golden is used besides when it is there.
// A test that finds nothing to compare with must fail: use require_golden_paths. Only a folder that was named
// need not have data of every kind: tests of the others are skipped.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace ink::testing {

// The folder that INKSTONE_GOLDEN names, or nothing.
inline std::filesystem::path named_golden_folder() {
  const char* named = std::getenv("INKSTONE_GOLDEN");
  return named == nullptr ? "" : named;
}

inline std::vector<std::filesystem::path> golden_folders() {
  namespace fs = std::filesystem;
  if (const fs::path named = named_golden_folder(); !named.empty()) return {named};
  std::vector<fs::path> folders;
  const fs::path source = INK_SOURCE_DIR;
  for (const fs::path& folder : {source / "tests/golden", source / "../shared/golden"}) {
    if (fs::is_directory(folder)) folders.push_back(folder);
  }
  return folders;
}

// Every existing `relative` path below the golden folders. When there is none the test fails or, where the
// folder was named, counts as skipped and had better return (IsSkipped).
inline std::vector<std::filesystem::path> require_golden_paths(const std::string& relative) {
  std::vector<std::filesystem::path> found;
  for (const auto& folder : golden_folders()) {
    if (std::filesystem::exists(folder / relative)) found.push_back(folder / relative);
  }
  if (!found.empty()) return found;
  if (named_golden_folder().empty()) {
    ADD_FAILURE() << "no golden data: " << relative << " is in none of the golden folders";
  } else {
    [&] { GTEST_SKIP() << "no " << relative << " in " << named_golden_folder(); }();
  }
  return found;
}

}  // namespace ink::testing
