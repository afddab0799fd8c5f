// Applications found by name, and media players and notifications on a bus of the test's own.
#include "services/assistant/device/desktop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "services/assistant/catalogue.h"
#include "services/assistant/device/bus.h"
#include "services/assistant/device/media_tools.h"
#include "services/assistant/phrases.h"

namespace ink::assistant {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeChat =
    "[Desktop Entry]\nType=Application\nName=WeChat\nName[zh_CN]=微信\nGenericName=Messenger\n"
    "Exec=/opt/wechat/wechat --flag=\"two words\" %U\n[Desktop Action x]\nName=Other\nExec=/bin/false\n";

TEST(AssistantDesktop, EntriesAreReadWithTheirNamesInAllLanguages) {
  const auto entry = read_desktop_entry(kWeChat);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->name, "WeChat");
  EXPECT_EQ(entry->names, (std::vector<std::string>{"WeChat", "微信", "Messenger"}));
  EXPECT_EQ(entry->command, (std::vector<std::string>{"/opt/wechat/wechat", "--flag=two words"}));
  EXPECT_FALSE(read_desktop_entry("").has_value());
  EXPECT_FALSE(read_desktop_entry("[Desktop Entry]\nName=A\n").has_value());
  for (const char* line : {"NoDisplay=true", "Hidden=true", "Terminal=true", "Type=Link"})
    EXPECT_FALSE(read_desktop_entry("[Desktop Entry]\nName=A\nExec=a\n" + std::string(line)).has_value())
        << line;
}

TEST(AssistantDesktop, TheNearestNameIsChosen) {
  std::vector<Application> all;
  for (const char* name : {"Text Editor", "Firefox Web Browser", "Files", "微信开发者工具"}) {
    auto entry =
        read_desktop_entry("[Desktop Entry]\nName=" + std::string(name) + "\nGenericName=Browser\nExec=a\n");
    all.push_back(*entry);
  }
  all.push_back(*read_desktop_entry(kWeChat));
  const auto chosen = [&](const char* words) {
    const Application* one = choose_application(all, words);
    return one == nullptr ? "" : one->name;
  };
  EXPECT_EQ(chosen("微信"), "WeChat");
  EXPECT_EQ(chosen("wechat"), "WeChat");
  EXPECT_EQ(chosen("firefox"), "Firefox Web Browser");
  EXPECT_EQ(chosen("the text editor"), "Text Editor");
  EXPECT_EQ(chosen("小红书"), "");
  EXPECT_EQ(chosen(""), "");
}

TEST(AssistantDesktop, ProgramsAreStartedAndLetGo) {
  const fs::path mark = fs::path(::testing::TempDir()) / "started_mark";
  fs::remove(mark);
  EXPECT_TRUE(start_detached({"touch", mark.string()}));
  for (int i = 0; i < 500 && !fs::exists(mark); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(fs::exists(mark));
  EXPECT_FALSE(start_detached({"/nonexistent/program"}));
  fs::remove(mark);
}

// A media player and a notification daemon on a bus that only this test knows.
class AssistantBus : public ::testing::Test {
 protected:
  void SetUp() override {
    int out[2];
    ASSERT_EQ(::pipe(out), 0);
    daemon_ = ::fork();
    if (daemon_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--print-address=1", nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    std::string address;
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) address += c;
    ::close(out[0]);
    if (address.empty()) GTEST_SKIP() << "dbus-daemon is not installed";
    ::setenv("DBUS_SESSION_BUS_ADDRESS", address.c_str(), 1);
  }
  void TearDown() override {
    stop_ = true;
    if (server_.joinable()) server_.join();
    ::kill(daemon_, SIGTERM);
    ::waitpid(daemon_, nullptr, 0);
    ::setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent", 1);
  }

  static int on_method(sd_bus_message* message, void* self, sd_bus_error* error) {
    auto& test = *static_cast<AssistantBus*>(self);
    const std::lock_guard lock(test.mutex_);
    if (test.refuses_) return sd_bus_error_set(error, "org.test.Refused", "no");
    test.called_.emplace_back(sd_bus_message_get_member(message));
    if (test.called_.back() == "Notify") return sd_bus_reply_method_return(message, "u", 1U);
    return sd_bus_reply_method_return(message, "");
  }
  static int on_get(sd_bus*, const char*, const char*, const char* property, sd_bus_message* reply,
                    void* self, sd_bus_error*) {
    auto& test = *static_cast<AssistantBus*>(self);
    const std::lock_guard lock(test.mutex_);
    if (std::string(property) == "Volume") return sd_bus_message_append(reply, "d", test.volume_);
    return sd_bus_message_append(reply, "s", "Playing");
  }
  static int on_set(sd_bus*, const char*, const char*, const char*, sd_bus_message* value, void* self,
                    sd_bus_error*) {
    auto& test = *static_cast<AssistantBus*>(self);
    const std::lock_guard lock(test.mutex_);
    double wanted = 0;
    sd_bus_message_read(value, "d", &wanted);
    if (!test.deaf_) test.volume_ = wanted;
    return 0;
  }

  void serve() {
    std::atomic<bool> ready = false;
    server_ = std::thread([this, &ready] {
      static const sd_bus_vtable kPlayer[] = {SD_BUS_VTABLE_START(0),
                                              SD_BUS_METHOD("Play", "", "", on_method, 0),
                                              SD_BUS_METHOD("Pause", "", "", on_method, 0),
                                              SD_BUS_METHOD("Next", "", "", on_method, 0),
                                              SD_BUS_METHOD("Previous", "", "", on_method, 0),
                                              SD_BUS_PROPERTY("PlaybackStatus", "s", on_get, 0, 0),
                                              SD_BUS_WRITABLE_PROPERTY("Volume", "d", on_get, on_set, 0, 0),
                                              SD_BUS_VTABLE_END};
      static const sd_bus_vtable kNotifications[] = {
          SD_BUS_VTABLE_START(0), SD_BUS_METHOD("Notify", "susssasa{sv}i", "u", on_method, 0),
          SD_BUS_VTABLE_END};
      sd_bus* bus = nullptr;
      sd_bus_open_user(&bus);
      sd_bus_add_object_vtable(bus, nullptr, "/org/mpris/MediaPlayer2", "org.mpris.MediaPlayer2.Player",
                               kPlayer, this);
      sd_bus_add_object_vtable(bus, nullptr, "/org/freedesktop/Notifications",
                               "org.freedesktop.Notifications", kNotifications, this);
      sd_bus_request_name(bus, "org.mpris.MediaPlayer2.test", 0);
      sd_bus_request_name(bus, "org.freedesktop.Notifications", 0);
      ready = true;
      while (!stop_) {
        while (sd_bus_process(bus, nullptr) > 0) continue;
        sd_bus_wait(bus, 20'000);
      }
      sd_bus_flush_close_unref(bus);
    });
    while (!ready) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::string said(const std::string& name, const Json& arguments) {
    for (const auto& tool : media_tools(embedded_catalogue())) {
      if (tool->name() == name) return say(tool->call(arguments, {}), {});
    }
    return "";
  }

  pid_t daemon_ = 0;
  std::thread server_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::vector<std::string> called_;
  double volume_ = 0.5;
  bool refuses_ = false;
  bool deaf_ = false;
};

TEST_F(AssistantBus, APlayerIsControlled) {
  serve();
  EXPECT_EQ(said("media_control", {{"action", "pause"}}), "Paused.");
  EXPECT_EQ(said("media_control", {{"action", "next"}}), "Next track.");
  EXPECT_EQ(said("media_control", {{"action", "previous"}}), "Previous track.");
  EXPECT_EQ(said("play_music", Json::object()), "Playing.");
  EXPECT_EQ(said("play_music", {{"query", "邓紫棋的歌"}}),
            "I cannot search for music here; the player can only go on with what it has.");
  EXPECT_EQ(called_, (std::vector<std::string>{"Pause", "Next", "Previous", "Play"}));
  EXPECT_EQ(said("set_volume", {{"percent", 40}}), "Volume 40%.");
  EXPECT_EQ(said("set_volume", {{"step", "up"}}), "Volume 50%.");
  EXPECT_EQ(said("set_volume", {{"percent", 0}}), "Muted.");
  EXPECT_EQ(said("set_volume", {{"step", "down"}}), "Muted.");
  EXPECT_DOUBLE_EQ(volume_, 0);
}

TEST_F(AssistantBus, WhatAPlayerRefusesIsNotCalledDone) {
  refuses_ = deaf_ = true;
  serve();
  EXPECT_EQ(said("media_control", {{"action", "pause"}}), "It refused, so nothing was changed.");
  EXPECT_EQ(said("set_volume", {{"percent", 90}}), "It refused, so nothing was changed.");
}

TEST_F(AssistantBus, NotificationsAreShown) {
  serve();
  const auto bus = Bus::open();
  ASSERT_NE(bus, nullptr);
  EXPECT_TRUE(bus->notify("Inkstone", "夠鐘喇"));
  EXPECT_EQ(called_, std::vector<std::string>{"Notify"});
}

TEST_F(AssistantBus, NoPlayerAndNoBusAreSaid) {
  EXPECT_EQ(said("media_control", {{"action", "play"}}), "No media player is running.");
  EXPECT_FALSE(Bus::open()->notify("a", "b"));
  ::setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent", 1);
  EXPECT_EQ(said("media_control", {{"action", "play"}}), "I cannot reach the desktop from here.");
  EXPECT_EQ(said("set_volume", {{"percent", 10}}), "I cannot reach the desktop from here.");
}

}  // namespace
}  // namespace ink::assistant
