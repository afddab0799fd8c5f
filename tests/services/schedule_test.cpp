// Timers, alarms and reminders: that each fires once, whatever the clocks and the processes do, and that a
// full disk or a damaged file loses nothing.
#include "services/assistant/time/schedule.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "services/assistant/catalogue.h"
#include "services/assistant/device/memory_tools.h"
#include "services/assistant/device/terms.h"
#include "services/assistant/time/announce.h"
#include "services/assistant/time/time_tools.h"
#include "services/assistant/time/watch.h"
#include "tests/services/assistant_parts.h"

namespace ink::assistant {
namespace {

constexpr Voice kCantoneseVoice{Language::kCantonese, true};

class AssistantSchedule : public WithState {
 protected:
  Schedule schedule() {
    auto opened = state->schedule();
    EXPECT_TRUE(opened.ok());
    return **opened;
  }
  std::vector<std::string> due() {
    auto fired = schedule().take_due();
    EXPECT_TRUE(fired.ok());
    std::vector<std::string> lines;
    for (const auto& one : *fired) lines.push_back(one.kind + (one.missed ? " missed " : " ") + one.label);
    return lines;
  }
  // What a tool says, and whether it was done.
  Outcome call(const std::string& name, const Json& arguments) {
    Tools tools = time_tools(embedded_catalogue(), state);
    for (auto& tool : memory_tools(embedded_catalogue(), state)) tools.push_back(tool);
    for (const auto& tool : tools) {
      if (tool->name() == name) return tool->call(arguments, {});
    }
    return failed("no such tool");
  }
  using Lines = std::vector<std::string>;
};

TEST_F(AssistantSchedule, ATimerFiresOnce) {
  ASSERT_TRUE(schedule().add_timer(300, "eggs", {}).ok());
  clock->pass(299'999);
  EXPECT_EQ(due(), Lines{});
  clock->pass(1);
  EXPECT_EQ(due(), Lines{"timer eggs"});
  EXPECT_EQ(due(), Lines{});
  EXPECT_EQ(schedule().fired(10)->size(), 1U);
}

TEST_F(AssistantSchedule, TwoTimersAtOneInstantBothFire) {
  ASSERT_TRUE(schedule().add_timer(60, "a", {}).ok());
  ASSERT_TRUE(schedule().add_timer(60, "b", {}).ok());
  clock->pass(60'000);
  EXPECT_EQ(due(), (Lines{"timer a", "timer b"}));
  EXPECT_EQ(due(), Lines{});
}

TEST_F(AssistantSchedule, ATimerCountsElapsedTimeWhenTheWallClockJumps) {
  ASSERT_TRUE(schedule().add_timer(300, "", {}).ok());
  clock->wall += 24 * 3600'000;  // somebody sets the clock a day ahead
  EXPECT_EQ(due(), Lines{});
  clock->wall -= 48 * 3600'000;  // and two back
  clock->pass(299'000);
  EXPECT_EQ(due(), Lines{});
  EXPECT_EQ(schedule().pending()->front().remaining_ms, 1000);
  clock->pass(1000);
  EXPECT_EQ(due(), Lines{"timer "});
}

TEST_F(AssistantSchedule, AfterARestartOfTheDeviceTheWallClockCounts) {
  ASSERT_TRUE(schedule().add_timer(300, "soon", {}).ok());
  ASSERT_TRUE(schedule().add_timer(7200, "late", {}).ok());
  clock->wall += 3600'000;
  clock->boot = 10'000;
  clock->id = "second";
  reopen();
  EXPECT_EQ(due(), Lines{"timer missed soon"});
  EXPECT_EQ(due(), Lines{});
  clock->pass(3600'000);
  EXPECT_EQ(due(), Lines{"timer late"});
}

TEST_F(AssistantSchedule, AnAlarmFollowsTheWallClock) {
  const int64_t seven = *next_instant_ms({7, 0}, "", clock->wall);
  ASSERT_TRUE(schedule().add_alarm(seven, "07:00", "", {}, {}).ok());
  clock->boot += 48 * 3600'000;  // elapsed time alone moves nothing
  EXPECT_EQ(due(), Lines{});
  clock->wall = seven;
  EXPECT_EQ(due(), Lines{"alarm "});
  EXPECT_TRUE(schedule().pending()->empty());
}

TEST_F(AssistantSchedule, ADailyAlarmFiresOncePerDayAlsoWhenTheClockGoesBack) {
  const int64_t seven = *next_instant_ms({7, 0}, "", clock->wall);
  ASSERT_TRUE(schedule().add_alarm(seven, "07:00", "daily", {}, {}).ok());
  clock->wall = seven + 1000;
  EXPECT_EQ(due(), Lines{"alarm "});
  clock->wall = seven - 3600'000;
  EXPECT_EQ(due(), Lines{});
  clock->wall = seven + 1000;
  EXPECT_EQ(due(), Lines{});  // this morning's is done
  clock->wall = seven + 24 * 3600'000;
  EXPECT_EQ(due(), Lines{"alarm "});
  // Away for a week: one missed alarm, not seven.
  clock->wall += 7 * 24 * 3600'000 - 1;
  EXPECT_EQ(due(), Lines{"alarm missed "});
  EXPECT_EQ(due(), Lines{});
  EXPECT_EQ(schedule().pending()->size(), 1U);
}

TEST_F(AssistantSchedule, TheSameAlarmTwiceIsOneAlarm) {
  const int64_t seven = *next_instant_ms({7, 0}, "", clock->wall);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(schedule().add_alarm(seven, "07:00", "", {}, {}).ok());
  EXPECT_EQ(schedule().pending()->size(), 1U);
  ASSERT_TRUE(schedule().add_alarm(seven, "07:00", "daily", {}, {}).ok());
  EXPECT_EQ(schedule().pending()->size(), 2U);
}

TEST_F(AssistantSchedule, TwoWatchersNeverFireTheSame) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(schedule().add_timer(1, std::to_string(i), {}).ok());
  clock->pass(1000);
  std::vector<std::string> seen[2];
  std::vector<std::thread> threads;
  for (auto& mine : seen) {
    threads.emplace_back([&] {
      const auto other = std::make_shared<State>(folder, clock);
      const auto fired = (*other->schedule())->take_due();
      if (!fired.ok()) return;
      for (const auto& one : *fired) mine.push_back(one.label);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(seen[0].size() + seen[1].size(), 50U);
}

// A process that is killed the moment its call returned has lost nothing.
TEST_F(AssistantSchedule, WhatWasReportedAsDoneSurvivesAKill) {
  const pid_t child = ::fork();
  if (child == 0) {
    State own(folder, clock);
    const auto schedule = own.schedule();
    const bool kept = schedule.ok() && (*schedule)->add_timer(60, "kept", kCantoneseVoice).ok();
    ::kill(::getpid(), kept ? SIGKILL : SIGTERM);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  clock->pass(60'000);
  const auto fired = schedule().take_due();
  ASSERT_TRUE(fired.ok());
  ASSERT_EQ(fired->size(), 1U);
  EXPECT_EQ(announcement(fired->front(), clock->wall), "夠鐘喇：kept。");
}

TEST_F(AssistantSchedule, AFullDiskIsSaidAndNothingIsLost) {
  ASSERT_TRUE(schedule().add_timer(60, "before", {}).ok());
  (*state->database())->limit_pages(1);
  const std::string long_note(100'000, 'x');
  const Outcome outcome = call("add_note", {{"text", long_note}});
  EXPECT_EQ(outcome.problem, problem::kNoRoom);
  EXPECT_EQ(outcome.detail.find("xxx"), std::string::npos);
  reopen();
  EXPECT_EQ(schedule().pending()->size(), 1U);
  EXPECT_TRUE(call("add_note", {{"text", long_note}}).done());
}

TEST_F(AssistantSchedule, AFolderThatCannotBeWrittenIsSaid) {
  std::ofstream(folder.string() + "_file") << "not a folder";
  State blocked(folder.string() + "_file/below", clock);
  const auto opened = blocked.database();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(problem_of(opened.error()).name, problem::kNoRoom);
  State nowhere("", clock);
  EXPECT_EQ(problem_of(nowhere.database().error()).name, problem::kNoRoom);
  std::filesystem::remove(folder.string() + "_file");
}

TEST_F(AssistantSchedule, AFileThatIsNoDatabaseIsLeftAlone) {
  std::filesystem::create_directories(folder);
  const std::string precious(5000, 'p');
  std::ofstream(folder / "assistant.db") << precious;
  EXPECT_EQ(call("set_timer", {{"seconds", 5}}).problem, "memory_unreadable");
  std::ifstream in(folder / "assistant.db");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), precious);
}

TEST_F(AssistantSchedule, TheFileIsForItsOwnerOnly) {
  ASSERT_TRUE(schedule().add_timer(60, "", {}).ok());
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto others = entry.status().permissions() &
                        (std::filesystem::perms::group_all | std::filesystem::perms::others_all);
    EXPECT_EQ(others, std::filesystem::perms::none) << entry.path();
  }
}

TEST_F(AssistantSchedule, ToolsForTime) {
  EXPECT_EQ(call("set_alarm", {{"time", "07:30"}, {"day", "today"}}).problem, "time_over");
  const Outcome weekly = call("set_alarm", {{"time", "07:30"}, {"repeat", "weekly"}, {"day", "saturday"}});
  EXPECT_EQ(weekly.data["due"], "2026-11-28 07:30");
  EXPECT_EQ(weekly.words.phrase, "set_alarm.weekly");
  EXPECT_EQ(call("set_alarm", {{"time", "07:30"}}).data["due"], "2026-11-25 07:30");
  EXPECT_EQ(call("set_alarm", {{"time", "06:00"}, {"repeat", "weekdays"}}).data["due"], "2026-11-25 06:00");
  EXPECT_EQ(call("cancel_alarm", {{"time", "09:00"}}).problem, "no_such_alarm");
  EXPECT_EQ(call("cancel_alarm", {{"day", "saturday"}}).data["cancelled"], 1);
  EXPECT_EQ(call("cancel_alarm", {{"time", "06:00"}}).data["cancelled"], 1);
  EXPECT_EQ(call("cancel_alarm", Json::object()).data["cancelled"], 1);
  EXPECT_EQ(call("cancel_alarm", Json::object()).problem, "no_alarm");
  EXPECT_EQ(call("cancel_timer", Json::object()).problem, "no_timer");
  ASSERT_TRUE(call("set_timer", {{"seconds", 60}, {"label", "蒸魚"}}).done());
  ASSERT_TRUE(call("set_timer", {{"seconds", 60}}).done());
  EXPECT_EQ(call("cancel_timer", {{"label", "煲湯"}}).problem, "no_such_timer");
  EXPECT_EQ(call("cancel_timer", {{"label", "蒸鱼"}}).data["cancelled"], 1);  // in the other script
  EXPECT_EQ(call("cancel_timer", Json::object()).data["cancelled"], 1);
}

TEST_F(AssistantSchedule, RemindersAndTheCalendar) {
  EXPECT_EQ(call("create_reminder", {{"text", "a"}, {"time", "18:00"}}).data["due"], "2026-11-24 18:00");
  EXPECT_EQ(call("create_reminder", {{"text", "b"}, {"day", "friday"}}).data["due"], "2026-11-27 09:00");
  EXPECT_EQ(call("create_reminder", {{"text", "c"}, {"day", "today"}}).data["due"], "2026-11-24 12:00");
  EXPECT_EQ(call("create_reminder", {{"text", "d"}, {"day", "today"}, {"time", "09:00"}}).problem,
            "time_over");
  EXPECT_EQ(call("create_reminder", {{"text", "e"}}).words.phrase, "create_reminder.someday");
  EXPECT_EQ(call("create_event", {{"title", "dentist"}, {"day", "friday"}, {"time", "15:00"}}).data["date"],
            "2026-11-27");
  EXPECT_EQ(call("create_event", {{"title", "tea"}, {"time", "09:00"}}).data["date"], "2026-11-25");
  EXPECT_TRUE(call("create_event", {{"title", "some day"}}).data["date"].is_null());
  const auto titles = [&](const Json& arguments) {
    Lines all;
    const Outcome outcome = call("query_calendar", arguments);
    for (const auto& entry : outcome.data["entries"]) all.push_back(entry["title"]);
    return all;
  };
  EXPECT_EQ(titles({{"day", "friday"}}), (Lines{"b", "dentist"}));
  EXPECT_EQ(titles({{"day", "tomorrow"}}), Lines{"tea"});
  EXPECT_EQ(titles({{"day", "next_week"}}), Lines{});
  EXPECT_EQ(titles(Json::object()), (Lines{"c", "a", "tea", "b", "dentist"}));
}

TEST_F(AssistantSchedule, NotesAreFoundByWhatTheySay) {
  for (const char* text : {"wifi密码是12345678", "the spare key is under the blue pot",
                           "妈妈的生日是五月三号", "車位喺B2 168號", "buy milk"})
    ASSERT_TRUE(call("add_note", {{"text", text}}).done());
  ASSERT_TRUE(call("create_reminder", {{"text", "return the library books"}}).done());
  const auto found = [&](const char* query) {
    const Json list = call("search_memory", {{"query", query}}).data["found"];
    return list.empty() ? "" : list[0].get<std::string>();
  };
  EXPECT_EQ(found("家里的wifi密码是什么"), "wifi密码是12345678");
  EXPECT_EQ(found("where is the spare key"), "the spare key is under the blue pot");
  EXPECT_EQ(found("where did I put my key"), "the spare key is under the blue pot");
  EXPECT_EQ(found("妈妈生日是哪天"), "妈妈的生日是五月三号");
  EXPECT_EQ(found("车位在哪里"), "車位喺B2 168號");
  EXPECT_EQ(found("library books"), "return the library books");
  EXPECT_EQ(found("passport number"), "");
  EXPECT_EQ(found("爸爸的电话"), "");
  EXPECT_EQ(call("search_memory", {{"query", "passport"}}).words.phrase, "search_memory.none");
  // What was noted is data for the database, whatever it looks like.
  ASSERT_TRUE(call("add_note", {{"text", "'); DROP TABLE notes; --"}}).done());
  EXPECT_EQ(found("buy milk"), "buy milk");
}

TEST_F(AssistantSchedule, LabelsAreComparedAsPeopleDo) {
  EXPECT_TRUE(alike("The Egg Timer", "egg"));
  EXPECT_TRUE(alike("蒸魚", "蒸鱼"));
  EXPECT_TRUE(alike("ＡＢＣ", "abc"));
  EXPECT_FALSE(alike("", "egg"));
  EXPECT_FALSE(alike("rice", "egg"));
}

class AssistantWatch : public AssistantSchedule {
 protected:
  std::vector<std::string> said_;
  std::unique_ptr<Watch> watch() {
    return std::make_unique<Watch>(
        state, [this](const Fired& fired) { said_.push_back(fired.kind + " " + fired.label); },
        [this](const std::string&) { ++faults_; });
  }
  int faults_ = 0;
};

TEST_F(AssistantWatch, AnnouncesWhatIsDueAndTellsWhetherAnythingWaits) {
  const auto one = watch();
  EXPECT_FALSE(one->look());
  ASSERT_TRUE(schedule().add_reminder({}, "no time", {}).ok());
  EXPECT_FALSE(one->look());
  ASSERT_TRUE(schedule().add_timer(60, "x", {}).ok());
  EXPECT_TRUE(one->look());
  clock->pass(60'000);
  EXPECT_FALSE(one->look());
  EXPECT_EQ(said_, Lines{"timer x"});
  one->run(true);  // idle: ends at once
}

TEST_F(AssistantWatch, IsRecordedBeforeItIsAnnounced) {
  ASSERT_TRUE(schedule().add_timer(60, "x", {}).ok());
  clock->pass(60'000);
  size_t recorded = 0;
  Watch one(
      state, [&](const Fired&) { recorded = State(folder, clock).schedule().value()->fired(10)->size(); },
      [](auto&) {});
  one.look();
  EXPECT_EQ(recorded, 1U);
}

TEST_F(AssistantWatch, ADiskThatTakesNoRecordDoesNotSilenceATimer) {
  ASSERT_TRUE(schedule().add_timer(60, "x", {}).ok());
  // Another process keeps the right to write: nothing can be recorded.
  const auto other = Database::open(folder / "assistant.db");
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE((*state->database())->run("PRAGMA busy_timeout = 1").ok());
  ASSERT_TRUE((*other)->run("BEGIN IMMEDIATE").ok());
  clock->pass(60'000);
  const auto one = watch();
  one->look();
  one->look();
  EXPECT_EQ(said_, Lines{"timer x"});
  EXPECT_EQ(faults_, 2);
  ASSERT_TRUE((*other)->run("COMMIT").ok());
  one->look();  // recorded now, and not said again
  EXPECT_EQ(said_, Lines{"timer x"});
  EXPECT_EQ(schedule().fired(10)->size(), 1U);
}

TEST_F(AssistantWatch, OneWatcherAtATime) {
  using Manner = WatchLock::Manner;
  std::filesystem::create_directories(folder);
  auto first = WatchLock::take(folder, Manner::kInFront);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->held());
  EXPECT_FALSE(WatchLock::take(folder, Manner::kDetached)->held());
  EXPECT_FALSE(WatchLock::take(folder, Manner::kInFront)->held());  // we are not detached: nobody ends us
  { const WatchLock gone = std::move(*first); }
  EXPECT_TRUE(WatchLock::take(folder, Manner::kDetached)->held());
}

TEST_F(AssistantWatch, TheOneInFrontTakesOverFromADetachedOne) {
  std::filesystem::create_directories(folder);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = WatchLock::take(folder, WatchLock::Manner::kDetached);
    [[maybe_unused]] const auto written = ::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  // The child is ended and reaped beside us, or its lock would never come free.
  const auto lock = WatchLock::take(folder, WatchLock::Manner::kInFront);
  EXPECT_TRUE(lock.ok() && lock->held());
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  ::close(ready[0]);
  ::close(ready[1]);
}

// The only test with real time: a timer of a second that is set while the watcher sleeps.
TEST_F(AssistantWatch, WakesWhenAnotherProcessSetsATimer) {
  const auto real = std::make_shared<State>(folder, std::make_shared<SystemClock>());
  ASSERT_TRUE(real->database().ok());
  std::atomic<int> fired = 0;
  Watch one(
      real, [&](const Fired&) { ++fired; }, [](auto&) {});
  std::thread thread([&] { one.run(false); });
  State other(folder, std::make_shared<SystemClock>());
  ASSERT_TRUE((*other.schedule())->add_timer(1, "", {}).ok());
  for (int i = 0; i < 3000 && fired == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  one.stop();
  thread.join();
  EXPECT_EQ(fired, 1);
}

TEST(AssistantClock, KnowsThisStartOfTheDevice) {
  const SystemClock clock;
  EXPECT_EQ(clock.boot_id().size(), 36U);
  EXPECT_GT(clock.boot_ms(), 0);
  EXPECT_GT(clock.wall_ms(), 1'700'000'000'000);
}

}  // namespace
}  // namespace ink::assistant
