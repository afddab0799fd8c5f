// Many answers at once: each is what it would be alone, whoever else is served, leaves, or waits.
#include "runtime/scheduler.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "runtime/session.h"
#include "tests/golden_folder.h"

namespace ink {
namespace {

using Ids = std::vector<int32_t>;

class SchedulerTest : public ::testing::Test {
 protected:
  void open(int sequences, int64_t cache_tokens = 0) {
    const auto folders = testing::require_golden_paths("gguf_models");
    ASSERT_FALSE(folders.empty());
    for (const auto& entry : std::filesystem::directory_iterator(folders.front())) {
      if (!entry.path().filename().string().ends_with("f32.gguf")) continue;
      auto checkpoint = Checkpoint::open(entry.path());
      ASSERT_TRUE(checkpoint.ok());
      EngineOptions options;
      options.threads = 2;
      options.context_tokens = 160;
      options.batch_tokens = 48;
      options.max_sequences = sequences;
      options.cache_tokens = cache_tokens;
      auto engine = Engine::open(std::move(*checkpoint), options);
      ASSERT_TRUE(engine.ok()) << engine.error().message();
      auto scheduler = Scheduler::create(*engine);
      ASSERT_TRUE(scheduler.ok());
      scheduler_ = std::move(*scheduler);
    }
    ASSERT_NE(scheduler_, nullptr);
  }

  // Prompts with few different beginnings.
  Ids prompt(uint32_t seed) const {
    std::mt19937 random(seed);
    const auto vocabulary = static_cast<uint32_t>(scheduler_->engine().config().vocab_size);
    std::mt19937 beginning(seed % 3);
    Ids ids(40);
    for (int32_t& id : ids) id = static_cast<int32_t>(beginning() % vocabulary);
    ids.resize(10 + seed % 3 * 30 + random() % 30, 0);
    for (size_t i = 40; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(random() % vocabulary);
    return ids;
  }

  Result<GenerationResult> answer(const Ids& ids, const SequenceOptions& options = {},
                                  int64_t stop_after = -1) {
    auto session = Session::create(*scheduler_, options);
    if (!session.ok()) return session.error();
    GenerationOptions generation;
    generation.sampling.temperature = 0;
    generation.max_tokens = 20;
    generation.lookup_tokens = lookup_tokens_;
    int64_t count = 0;
    return (*session)->generate(ids, generation,
                                [&](const GeneratedPiece&) { return ++count != stop_after; });
  }

  std::unique_ptr<Scheduler> scheduler_;
  int64_t lookup_tokens_ = GenerationOptions().lookup_tokens;
};

TEST_F(SchedulerTest, AnswersWrittenAtOnceAreThoseWrittenAlone) {
  open(6);
  std::vector<Ids> alone;
  for (uint32_t i = 0; i < 36; ++i) {
    const auto result = answer(prompt(i));
    ASSERT_TRUE(result.ok()) << result.error().message();
    alone.push_back(result->ids);
  }
  open(6);  // nothing kept
  std::vector<std::thread> clients;
  std::atomic<int> wrong{0};
  std::atomic<int64_t> cached{0};
  for (uint32_t client = 0; client < 6; ++client) {
    clients.emplace_back([&, client] {
      for (uint32_t i = 0; i < 36; i += 1 + client % 2) {
        const uint32_t which = (i * 7 + client * 5) % 36;
        const int64_t leaves = (i + client) % 5 == 0 ? 3 : -1;  // some go before the end
        const auto result = answer(prompt(which), {}, leaves);
        if (!result.ok()) {
          ++wrong;
          continue;
        }
        cached += result->cached_tokens;
        const Ids expected(
            alone[which].begin(),
            alone[which].begin() + static_cast<int64_t>(std::min(result->ids.size(), alone[which].size())));
        if (result->ids != expected || (leaves < 0 && result->ids.size() != alone[which].size())) ++wrong;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(cached, 0);
  EXPECT_EQ(scheduler_->usage().sequences, 0);
  EXPECT_EQ(scheduler_->usage().cache.used, 0);
}

TEST_F(SchedulerTest, StepsAreShared) {
  open(4);
  lookup_tokens_ = 0;  // how far it guesses depends on the time that steps take, and so does their number
  uint64_t alone = 0;
  for (uint32_t i = 0; i < 4; ++i) ASSERT_TRUE(answer(prompt(100 + i)).ok());
  alone = scheduler_->usage().steps;
  open(4);
  std::vector<std::thread> clients;
  for (uint32_t i = 0; i < 4; ++i)
    clients.emplace_back([&, i] { EXPECT_TRUE(answer(prompt(100 + i)).ok()); });
  for (auto& client : clients) client.join();
  EXPECT_LE(scheduler_->usage().steps, alone);
}

TEST_F(SchedulerTest, PlacesAreRefusedOrWaitedFor) {
  open(1);
  auto first = Session::create(*scheduler_);
  ASSERT_TRUE(first.ok());
  const auto refused = Session::create(*scheduler_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
  std::vector<int> order;
  std::mutex mutex;
  std::vector<std::thread> clients;
  for (const auto& [name, priority] :
       {std::pair(0, Priority::kBackground), std::pair(1, Priority::kChat), std::pair(2, Priority::kVoice)}) {
    clients.emplace_back([&, name = name, priority = priority] {
      SequenceOptions options;
      options.priority = priority;
      options.wait = true;
      const auto session = Session::create(*scheduler_, options);
      EXPECT_TRUE(session.ok());
      const std::lock_guard lock(mutex);
      order.push_back(name);
    });
    while (scheduler_->usage().waiting != name + 1) std::this_thread::yield();
  }
  first->reset();
  for (auto& client : clients) client.join();
  EXPECT_EQ(order, (std::vector<int>{2, 1, 0}));
}

TEST_F(SchedulerTest, WaitingEndsWhenItIsCancelled) {
  open(1);
  const auto first = Session::create(*scheduler_);
  std::atomic<bool> cancelled{false};
  std::thread client([&] {
    const auto session = Session::create(*scheduler_, {0, Priority::kChat, true, &cancelled});
    EXPECT_FALSE(session.ok());
    EXPECT_EQ(session.error().kind, ErrorKind::kCancelled);
  });
  while (scheduler_->usage().waiting == 0) std::this_thread::yield();
  cancelled = true;
  client.join();
  EXPECT_EQ(scheduler_->usage().waiting, 0);
}

TEST_F(SchedulerTest, ACancelledAnswerEndsAndLeavesNothingWrong) {
  open(2);
  const Ids ids = prompt(2);
  std::atomic<bool> cancelled{true};
  const auto nothing = answer(ids, {0, Priority::kChat, false, &cancelled});
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(nothing->finish, FinishReason::kCancelled);
  EXPECT_TRUE(nothing->ids.empty());
  const auto whole = answer(ids);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->finish, FinishReason::kLength);
}

TEST_F(SchedulerTest, ASequenceHoldsWhatItAskedFor) {
  open(4, 160);
  const auto small = Session::create(*scheduler_, {64, Priority::kChat, false, nullptr});
  ASSERT_TRUE(small.ok());
  EXPECT_FALSE(Session::create(*scheduler_).ok()) << "a whole context does not fit beside it";
  EXPECT_TRUE(Session::create(*scheduler_, {96, Priority::kChat, false, nullptr}).ok());
  GenerationOptions generation;
  generation.sampling.temperature = 0;
  const auto result = (*small)->generate(prompt(3), generation, [](const GeneratedPiece&) { return true; });
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->finish, FinishReason::kContextFull);
  EXPECT_EQ(result->prompt_tokens + static_cast<int64_t>(result->ids.size()), 65);
}

}  // namespace
}  // namespace ink
