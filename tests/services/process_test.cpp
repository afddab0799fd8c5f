#include <gtest/gtest.h>

#include <unistd.h>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "services/process/child.h"
#include "services/process/connection.h"

namespace ink {
namespace {

// As the program does: a child that has ended is an error of write(), not our end.
[[maybe_unused]] const auto kBefore = std::signal(SIGPIPE, SIG_IGN);

using Clock = Child::Clock;
using std::chrono::milliseconds;

std::unique_ptr<Child> shell(const std::string& script, int64_t max_line_bytes = 1 << 20) {
  Child::Command command;
  command.arguments = {"/bin/sh", "-c", script};
  command.environment = {{"INKSTONE_TEST", "a value"}};
  command.max_line_bytes = max_line_bytes;
  auto child = Child::start(command, false);
  EXPECT_TRUE(child.ok());
  return std::move(*child);
}

std::string line_of(Child& child) {
  const auto line = child.read_line(Clock::now() + std::chrono::seconds(20));
  return line.ok() && line->has_value() ? **line : "(none)";
}

TEST(Child, LinesGoBothWays) {
  const auto child = shell("cat");
  const std::string large(300000, 'x');  // more than a pipe holds
  ASSERT_TRUE(child->write_line("灯", Clock::now() + std::chrono::seconds(20)).ok());
  EXPECT_EQ(line_of(*child), "灯");
  std::thread writer(
      [&] { EXPECT_TRUE(child->write_line(large, Clock::now() + std::chrono::seconds(20)).ok()); });
  EXPECT_EQ(line_of(*child), large);
  writer.join();
}

TEST(Child, HasItsEnvironmentAndOurs) {
  const auto child = shell("echo \"$INKSTONE_TEST:${PATH:+path}\"");
  EXPECT_EQ(line_of(*child), "a value:path");
}

TEST(Child, SaysWhenThereIsNoSuchProgram) {
  Child::Command command;
  EXPECT_FALSE(Child::start(command, false).ok());
  command.arguments = {"/nowhere/at-all"};
  const auto child = Child::start(command, false);
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.error().kind, ErrorKind::kNotFound);
}

// What a process does that leaves in a hurry: children that read nothing and hear no SIGTERM end, too.
TEST(Child, AllEndAtOnce) {
  const auto deaf = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
  EXPECT_EQ(line_of(*deaf), "ready");
  kill_children();
  const auto line = deaf->read_line(Clock::now() + std::chrono::seconds(20));
  EXPECT_FALSE(line.ok());  // it has ended
}

TEST(Child, SilenceEndsAtTheDeadlineOrWhenStopped) {
  const auto child = shell("sleep 60");
  const auto nothing = child->read_line(Clock::now() + milliseconds(20));
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->has_value());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(child->read_line(Clock::time_point::max(), stop.get_token())->has_value());
}

TEST(Child, EndsAreErrors) {
  const auto child = shell("printf 'last\\nhalf'");
  EXPECT_EQ(line_of(*child), "last");
  EXPECT_FALSE(child->read_line(Clock::now() + std::chrono::seconds(20)).ok());
}

TEST(Child, ALineWithoutEndIsRefused) {
  const auto child = shell("head -c 4000000 /dev/zero", 1 << 20);
  const auto line = child->read_line(Clock::now() + std::chrono::seconds(20));
  ASSERT_FALSE(line.ok());
  EXPECT_EQ(line.error().kind, ErrorKind::kTooLarge);
}

TEST(Child, OneThatDoesNotReadCostsItsDeadline) {
  const auto child = shell("sleep 60");
  Status status = Done{};
  for (int i = 0; i < 100 && status.ok(); i++)
    status = child->write_line(std::string(65536, 'x'), Clock::now() + milliseconds(20));
  EXPECT_FALSE(status.ok());
}

TEST(Child, DoesNotOutliveItsOwnerEvenIfItWillNotListen) {
  pid_t process = 0;
  {
    const auto child = shell("trap '' TERM; echo $$; while :; do sleep 0.05; done");
    process = std::stoi(line_of(*child));
    EXPECT_EQ(::kill(process, 0), 0);
  }
  EXPECT_NE(::kill(process, 0), 0);
}

// A stand-in for inkstone-connect: answers each line by the script given.
std::shared_ptr<Connection> connection_to(const std::string& script) {
  const auto path =
      std::filesystem::temp_directory_path() / ("inkstone_connect_" + std::to_string(::getpid()));
  std::ofstream(path) << "#!/bin/sh\n" << script;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  auto connection = Connection::start({"localhost:1"}, path.string());
  EXPECT_TRUE(connection.ok());
  return *connection;
}

TEST(Connection, RequestsAreAnsweredByTheirIds) {
  const auto connection = connection_to(R"(read one; read two
echo '{"id":2,"status":200,"headers":{"a":"b"},"body":"two"}'
echo '{"id":1,"error":"away","kind":"refused"}'
read end)");
  HttpReply first;
  std::thread other([&] {
    first = connection->request({{"url", "one"}}, Clock::now() + std::chrono::seconds(20));
  });
  const HttpReply second = connection->request({{"url", "two"}}, Clock::now() + std::chrono::seconds(20));
  other.join();
  const HttpReply& answered = second.problem ? first : second;
  const HttpReply& refused = second.problem ? second : first;
  EXPECT_EQ(answered.status, 200);
  EXPECT_EQ(answered.body, "two");
  EXPECT_EQ(answered.headers.at("a"), "b");
  ASSERT_TRUE(refused.problem);
  EXPECT_EQ(refused.problem->kind, "refused");
}

TEST(Connection, SilenceGarbageAndAnEndAreProblems) {
  const auto silent = connection_to("cat >/dev/null");
  EXPECT_EQ(silent->request({{"url", "x"}}, Clock::now() + milliseconds(30)).problem->kind, "timed_out");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(silent->request({{"url", "x"}}, Clock::time_point::max(), stop.get_token()).problem->kind,
            "cancelled");
  const auto mad = connection_to("read one; echo nonsense; echo '{\"id\":\"x\"}'; echo '[1]'; exit 0");
  EXPECT_EQ(mad->request({{"url", "x"}}, Clock::now() + std::chrono::seconds(20)).problem->kind, "ended");
}

TEST(Connection, AnExchangeGoesOnUntilItsEnd) {
  const auto connection = connection_to(R"(read one; echo '{"id":1,"open":true}'
read two; echo "{\"id\":1,\"text\":\"heard\"}"; echo '{"id":1,"end":true}'; cat >/dev/null)");
  const auto exchange = connection->open({{"websocket", {{"url", "ws://localhost:1/"}}}});
  ASSERT_TRUE(exchange.ok());
  const auto soon = [] { return Clock::now() + std::chrono::seconds(20); };
  EXPECT_TRUE((*exchange)->next(soon())->contains("open"));
  ASSERT_TRUE((*exchange)->send("hello").ok());
  EXPECT_EQ((*(*exchange)->next(soon()))["text"], "heard");
  EXPECT_TRUE((*exchange)->next(soon())->contains("end"));
  EXPECT_FALSE((*exchange)->next(Clock::now() + milliseconds(20)));
}

}  // namespace
}  // namespace ink
