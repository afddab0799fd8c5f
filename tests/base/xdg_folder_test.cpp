// Which folder the environment means.
#include "base/xdg_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace ink {
namespace {

constexpr const char* kVariable = "INKSTONE_TEST_XDG_HOME";

class XdgFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* home = std::getenv("HOME")) home_ = home;
  }
  void TearDown() override {
    ::unsetenv(kVariable);
    if (home_) ::setenv("HOME", home_->c_str(), 1);
  }
  static std::string folder(const char* chosen, const char* home) {
    chosen == nullptr ? ::unsetenv(kVariable) : ::setenv(kVariable, chosen, 1);
    home == nullptr ? ::unsetenv("HOME") : ::setenv("HOME", home, 1);
    return xdg_folder(kVariable, ".local/share").string();
  }
  std::optional<std::string> home_;
};

TEST_F(XdgFolder, IsTheVariablesElseInTheHome) {
  EXPECT_EQ(folder("/data", "/home/me"), "/data");
  EXPECT_EQ(folder("/data", nullptr), "/data");
  EXPECT_EQ(folder(nullptr, "/home/me"), "/home/me/.local/share");
}

TEST_F(XdgFolder, RelativePathsCountAsNotSet) {
  EXPECT_EQ(folder("data", "/home/me"), "/home/me/.local/share");
  EXPECT_EQ(folder("", "/home/me"), "/home/me/.local/share");
  EXPECT_EQ(folder(nullptr, "me"), "");
  EXPECT_EQ(folder("", ""), "");
  EXPECT_EQ(folder(nullptr, nullptr), "");
}

}  // namespace
}  // namespace ink
