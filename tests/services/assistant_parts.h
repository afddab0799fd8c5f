// What the tests of the assistant share: a clock that is set by hand, a folder of its own for the state, a
// model that proposes what it is told to.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>

#include "services/assistant/assistant.h"
#include "services/assistant/state.h"
#include "services/assistant/time/calendar.h"
#include "services/assistant/tool.h"

namespace ink::assistant {

class SetClock final : public Clock {
 public:
  int64_t wall_ms() const override { return wall; }
  int64_t boot_ms() const override { return boot; }
  std::string boot_id() const override { return id; }
  void pass(int64_t ms) {
    wall += ms;
    boot += ms;
  }
  int64_t wall = 0;
  int64_t boot = 5'000'000;
  std::string id = "first";
};

// A fresh state folder, and Tuesday, 24 November 2026, 10:00 in Hong Kong.
class WithState : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder = std::filesystem::path(::testing::TempDir()) /
             (std::string("assistant_") + info->test_suite_name() + "_" + info->name());
    std::filesystem::remove_all(folder);
    ::setenv("TZ", "Asia/Hong_Kong", 1);
    ::tzset();
    clock->wall = instant_ms(std::chrono::year(2026) / 11 / 24, {10, 0});
    state = std::make_shared<State>(folder, clock);
  }
  void TearDown() override {
    state.reset();
    std::filesystem::remove_all(folder);
  }
  // As after a restart of the program.
  void reopen() { state = std::make_shared<State>(folder, clock); }

  std::filesystem::path folder;
  std::shared_ptr<SetClock> clock = std::make_shared<SetClock>();
  std::shared_ptr<State> state;
};

class ListProposer final : public Proposer {
 public:
  explicit ListProposer(bool converses_with_results = false) : converses_(converses_with_results) {}
  void will(std::vector<ToolCall> calls, std::string reply = "") {
    next_.emplace_back(Proposal{std::move(reply), std::move(calls), 0, 0});
  }
  void will_fail(Error error) { next_.emplace_back(std::move(error)); }
  Result<Proposal> propose(std::span<const ChatMessage> conversation, const std::function<bool()>&) override {
    seen.assign(conversation.begin(), conversation.end());
    ++asked;
    if (next_.empty()) return Proposal{};
    auto one = next_.front();
    next_.pop_front();
    return one;
  }
  bool converses() const override { return converses_; }
  std::vector<ChatMessage> seen;
  int asked = 0;

 private:
  bool converses_;
  std::deque<Result<Proposal>> next_;
};

inline ToolCall call_of(std::string name, Json arguments = Json::object()) {
  ToolCall call;
  call.name = std::move(name);
  call.arguments = std::move(arguments);
  return call;
}

inline Json declaration_of(const std::string& name, Json properties = Json::object(),
                           Json required = Json::array()) {
  return make_declaration(name.c_str(), name.c_str(), std::move(properties), std::move(required));
}

}  // namespace ink::assistant
