// connections.json and the files of secrets, in a folder of the test's own.
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>

#include "services/connections/connections.h"
#include "services/connections/private_file.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

class ConnectionsFile : public ::testing::Test {
 protected:
  ConnectionsFile() {
    folder_ =
        fs::path(::testing::TempDir()) / ("connections_" + std::to_string(::getpid()) +
                                          ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  ~ConnectionsFile() override { fs::remove_all(folder_); }

  void write(const std::string& text, mode_t mode = 0600, const char* name = "connections.json") {
    std::ofstream(folder_ / name) << text;
    ::chmod((folder_ / name).c_str(), mode);
  }
  Connections read() {
    auto connections = Connections::read(folder_);
    EXPECT_TRUE(connections.ok()) << connections.error().message();
    return connections.ok() ? *connections : Connections();
  }
  Json document() { return Json::parse(std::ifstream(folder_ / "connections.json")); }
  static int mode_of(const fs::path& path) {
    struct stat about {};
    ::stat(path.c_str(), &about);
    return static_cast<int>(about.st_mode & 0777);
  }

  fs::path folder_;
};

TEST_F(ConnectionsFile, NoFileIsNothingConnected) {
  const Connections none = read();
  EXPECT_TRUE(none.mcp_servers().empty());
  EXPECT_FALSE(none.home_assistant());
}

TEST_F(ConnectionsFile, ReadsTheShapeOfOthers) {
  write(R"({"mcpServers":{"files":{"command":"npx","args":["-y","server"],"env":{"A":"b"},"cwd":"/tmp"},
                          "far":{"url":"https://a/mcp","headers":{"X":"y"},"trusted":true,"disabled":true}},
            "homeAssistant":{"url":"http://h:8123","tokenFile":"t"}})");
  const Connections all = read();
  ASSERT_EQ(all.mcp_servers().size(), 2u);
  const McpServer& files = all.mcp_servers()[0];
  EXPECT_EQ(files.command, (std::vector<std::string>{"npx", "-y", "server"}));
  EXPECT_EQ(files.environment.at("A"), "b");
  EXPECT_EQ(files.folder, "/tmp");
  EXPECT_FALSE(files.trusted);
  EXPECT_TRUE(all.mcp_servers()[1].trusted);
  EXPECT_TRUE(all.mcp_servers()[1].disabled);
  EXPECT_EQ(all.home_assistant()->token_file, folder_ / "t");
  EXPECT_TRUE(all.notes().empty());
}

TEST_F(ConnectionsFile, AWrongEntryCostsOnlyItself) {
  write(R"({"mcpServers":{"a":{},"b":{"command":"x","url":"http://y"},"c":{"command":5},"d":{"url":"ftp://x"},
      "e":{"command":"x","args":"y"},"f":{"command":"x","env":{"A":1}},"g":7,"h":{"url":"ws://x"},
      "i":{"command":"x","trusted":"yes"}},"homeAssistant":{"url":5}})");
  const Connections all = read();
  ASSERT_EQ(all.mcp_servers().size(), 1u);
  EXPECT_EQ(all.mcp_servers()[0].name, "i");
  EXPECT_FALSE(all.mcp_servers()[0].trusted) << "only true is true";
  EXPECT_EQ(all.notes().size(), 9u);
  EXPECT_TRUE(all.home_assistant_is_wrong());
}

TEST_F(ConnectionsFile, SecretsThatOthersCanReadAreRefused) {
  const std::string secret =
      R"({"mcpServers":{"a":{"url":"http://x","headers":{"Authorization":"secret!"}}}})";
  for (const mode_t mode : {0640u, 0604u, 0660u, 0602u}) {
    write(secret, mode);
    const auto refused = Connections::read(folder_);
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message().find("chmod 600"), std::string::npos);
    EXPECT_EQ(refused.error().message().find("secret!"), std::string::npos);
  }
  write(R"({"mcpServers":{"a":{"command":"x"}}})", 0644);
  EXPECT_EQ(read().mcp_servers().size(), 1u) << "no secret in it";
}

TEST_F(ConnectionsFile, GarbageIsRefusedAndStays) {
  for (const char* text : {"", "{", "[]", "\xff"}) {
    write(text);
    EXPECT_FALSE(Connections::read(folder_).ok()) << text;
  }
}

TEST_F(ConnectionsFile, SavesPrivatelyAndKeepsWhatItDoesNotKnow) {
  write(R"({"other":1,"mcpServers":{"a":{"command":"x","args":["1"],"icon":"y"}}})", 0644);
  Connections all = read();
  all.set(McpServer{"a", {"z"}, {}, "", "", {}, true, false});
  all.set(HomeAssistantServer{"http://h:8123", all.token_file()});
  ASSERT_TRUE(all.save().ok());
  EXPECT_EQ(document(),
            Json::parse(R"({"other":1,"mcpServers":{"a":{"command":"z","icon":"y","trusted":true}},
      "homeAssistant":{"url":"http://h:8123","tokenFile":"home-assistant.token"}})"));
  EXPECT_EQ(mode_of(folder_ / "connections.json"), 0600);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "no temporary file is left";
  EXPECT_EQ(read().home_assistant()->token_file, folder_ / "home-assistant.token");
}

TEST_F(ConnectionsFile, Removes) {
  write(
      R"({"mcpServers":{"a":{"command":"x"},"broken":{}},"homeAssistant":{"url":"http://h","tokenFile":"t"}})");
  Connections all = read();
  EXPECT_TRUE(all.remove_mcp("a"));
  EXPECT_TRUE(all.remove_mcp("broken"));
  EXPECT_FALSE(all.remove_mcp("a"));
  EXPECT_TRUE(all.remove_home_assistant());
  EXPECT_FALSE(all.remove_home_assistant());
  ASSERT_TRUE(all.save().ok());
  EXPECT_EQ(document(), Json::parse(R"({"mcpServers":{}})"));
}

TEST_F(ConnectionsFile, AFolderThatIsNotThereIsMadeForItsOwner) {
  const fs::path inner = folder_ / "config/inkstone";
  auto all = Connections::read(inner);
  ASSERT_TRUE(all.ok());
  ASSERT_TRUE(all->save().ok());
  EXPECT_EQ(mode_of(inner), 0700);
}

TEST_F(ConnectionsFile, SecretsAreOneLineOfAPrivateFile) {
  write("  secret!\t\r\nsecond line\n", 0600, "t");
  EXPECT_EQ(*read_secret(folder_ / "t"), "secret!");
  write("secret!", 0644, "t");
  const auto open = read_secret(folder_ / "t");
  ASSERT_FALSE(open.ok());
  EXPECT_EQ(open.error().message().find("secret!"), std::string::npos);
  write(" \n", 0600, "t");
  EXPECT_FALSE(read_secret(folder_ / "t").ok());
  EXPECT_EQ(read_secret(folder_ / "none").error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(read_secret(folder_).ok());
}

TEST(ServerNames, OnlyPlainOnes) {
  EXPECT_TRUE(is_server_name("my-Files_2"));
  for (const char* name : {"", "-a", "a b", "a/b", "文件", "a.b"}) EXPECT_FALSE(is_server_name(name)) << name;
  EXPECT_FALSE(is_server_name(std::string(33, 'a')));
}

}  // namespace
}  // namespace ink
