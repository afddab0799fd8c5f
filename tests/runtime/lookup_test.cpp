// Look-up guesses what followed before, and guesses never change an answer.
#include "runtime/lookup.h"

#include <gtest/gtest.h>

#include "runtime/session.h"
#include "tests/golden_folder.h"

namespace ink {
namespace {

using Ids = std::vector<int32_t>;

Lookup after(const Ids& ids, int64_t most) {
  Lookup lookup(most);
  for (const int32_t id : ids) lookup.accept(id);
  return lookup;
}

TEST(Lookup, GuessesWhatFollowedTheSameThreeTokens) {
  EXPECT_EQ(after({1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3}, 7).guess(100), (Ids{4, 5, 6, 7}));
  EXPECT_EQ(after({1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3}, 2).guess(100), (Ids{4, 5}));
  EXPECT_EQ(after({1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3}, 7).guess(1), (Ids{4}));
  EXPECT_EQ(after({1, 2, 3, 9, 1, 2, 3, 8, 1, 2, 3}, 1).guess(100), (Ids{8})) << "the last time counts";
  EXPECT_EQ(after({5, 5, 5, 5, 5}, 7).guess(100), (Ids{5}));
}

TEST(Lookup, GuessesNothingWithoutAMatch) {
  EXPECT_TRUE(after({}, 7).guess(100).empty());
  EXPECT_TRUE(after({1, 2}, 7).guess(100).empty());
  EXPECT_TRUE(after({1, 2, 3, 4, 5, 6}, 7).guess(100).empty());
  EXPECT_TRUE(after({1, 2, 3, 4, 2, 3}, 7).guess(100).empty()) << "two tokens are no match";
  EXPECT_TRUE(after({1, 2, 3, 4, 1, 2, 3}, 0).guess(100).empty());
  EXPECT_TRUE(after({1, 2, 3, 4, 1, 2, 3}, 7).guess(0).empty());
}

TEST(Lookup, LengthFollowsSuccess) {
  Ids ids;
  for (int32_t i = 0; i < 40; ++i) ids.push_back(i);
  ids.insert(ids.end(), {0, 1, 2});
  Lookup lookup = after(ids, 16);
  EXPECT_EQ(lookup.guess(100).size(), 4u);
  lookup.learn(4, 4);
  EXPECT_EQ(lookup.guess(100).size(), 8u);
  lookup.learn(8, 3);
  EXPECT_EQ(lookup.guess(100).size(), 8u);
  lookup.learn(8, 0);
  EXPECT_TRUE(lookup.guess(100).empty()) << "a pause";
  for (int32_t id = 3; id < 35; ++id) lookup.accept(id);
  EXPECT_EQ(lookup.guess(100).size(), 4u);
}

struct Answer {
  Ids ids;
  Ids cached;
  int64_t guessed;
};

Answer answer(Scheduler& scheduler, const Ids& prompt, int64_t lookup_tokens, float temperature) {
  auto session = Session::create(scheduler);
  EXPECT_TRUE(session.ok());
  GenerationOptions options;
  options.lookup_tokens = lookup_tokens;
  options.sampling.temperature = temperature;
  options.sampling.seed = 7;
  options.sampling.presence_penalty = temperature > 0 ? 0.2f : 0.0f;
  options.max_tokens = 40;
  const auto result = (*session)->generate(prompt, options, [](const GeneratedPiece&) { return true; });
  EXPECT_TRUE(result.ok());
  return {result->ids, (*session)->tokens(), result->guessed_tokens};
}

// The model of every golden folder, with prompts that repeat themselves. A small context makes answers end
// there.
TEST(LookupGolden, GuessesChangeNoAnswer) {
  int64_t guessed = 0;
  for (const auto& folder : testing::golden_folders()) {
    for (const char* name : {"models/dense_tied_f32", "models/moe_f32", "gguf_models/qwen3-q8_0.gguf"}) {
      auto checkpoint = Checkpoint::open(folder / name);
      if (!checkpoint.ok()) continue;
      EngineOptions options;
      options.threads = 1;
      options.context_tokens = 64;
      auto engine = Engine::open(std::move(*checkpoint), options);
      ASSERT_TRUE(engine.ok());
      const auto scheduler = Scheduler::create(*engine);
      ASSERT_TRUE(scheduler.ok());
      for (const size_t length : {6, 17, 40}) {
        for (const float temperature : {0.0f, 0.8f}) {
          SCOPED_TRACE(::testing::Message() << folder << name << " " << length << " " << temperature);
          Ids prompt;
          for (size_t i = 0; i < length; ++i) prompt.push_back(static_cast<int32_t>(i % 5));
          const Answer plain = answer(**scheduler, prompt, 0, temperature);
          EXPECT_EQ(plain.guessed, 0);
          for (const int64_t most : {1, 7, 30}) {
            const Answer with = answer(**scheduler, prompt, most, temperature);
            EXPECT_EQ(with.ids, plain.ids);
            guessed += with.guessed;
          }
        }
      }
    }
  }
  EXPECT_GT(guessed, 0);
}

}  // namespace
}  // namespace ink
