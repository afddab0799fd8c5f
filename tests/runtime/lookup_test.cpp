// Look-up guesses what followed before, and guesses never change an answer.
#include "runtime/lookup.h"

#include <gtest/gtest.h>

#include <random>

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

// Steps of up to 16 rows cost the same.
void make_rows_free(Lookup& lookup) {
  for (const size_t rows : {1, 4, 8, 12, 16}) lookup.learn_cost(rows, 1);
}

Ids counted_from(int32_t first, int32_t count) {
  Ids ids;
  for (int32_t i = 0; i < count; ++i) ids.push_back(first + i);
  return ids;
}

// The steps that an answer takes, when the prompt has been read.
size_t steps_of(Lookup& lookup, const Ids& answer) {
  size_t steps = 0;
  for (size_t done = 0; done < answer.size(); ++steps) {
    const Ids guess = lookup.guess(answer.size() - done - 1);
    size_t right = 0;
    while (right < guess.size() && guess[right] == answer[done + right]) ++right;
    for (size_t i = 0; i <= right; ++i) lookup.accept(answer[done + i]);
    done += right + 1;
  }
  return steps;
}

TEST(Lookup, GuessesWhatFollowedBefore) {
  const Ids ids = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3};
  EXPECT_EQ(after(ids, 7).guess(100), (Ids{4, 5, 6})) << "as many as one pass of the kernels takes";
  EXPECT_EQ(after(ids, 2).guess(100), (Ids{4, 5}));
  EXPECT_EQ(after(ids, 7).guess(1), (Ids{4}));
  Lookup twice = after({1, 2, 3, 9, 7, 1, 2, 3, 8, 6, 1, 2, 3}, 1);
  make_rows_free(twice);
  EXPECT_EQ(twice.guess(100), (Ids{8})) << "the last time";
  Lookup longer = after({9, 5, 1, 2, 3, 8, 6, 1, 2, 3, 7, 9, 5, 1, 2, 3}, 1);
  make_rows_free(longer);
  EXPECT_EQ(longer.guess(100), (Ids{8})) << "the longest";
}

TEST(Lookup, GuessesNothingWithoutAMatch) {
  EXPECT_TRUE(after({}, 7).guess(100).empty());
  EXPECT_TRUE(after({1, 2}, 7).guess(100).empty());
  EXPECT_TRUE(after({1, 2, 3, 4, 5, 6}, 7).guess(100).empty());
  EXPECT_TRUE(after({1, 2, 3, 4, 3}, 7).guess(100).empty()) << "one token is no match";
  EXPECT_TRUE(after({1, 2, 3, 4, 1, 2, 3}, 0).guess(100).empty());
  EXPECT_TRUE(after({1, 2, 3, 4, 1, 2, 3}, 7).guess(0).empty());
}

TEST(Lookup, ALoopIsFollowedBeyondWhatWasSaid) {
  Lookup lookup = after({7, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6}, 15);
  make_rows_free(lookup);
  const Ids guess = lookup.guess(6);
  EXPECT_EQ(guess, (Ids{5, 6, 5, 6, 5, 6}));
}

TEST(Lookup, LengthFollowsTheCostOfRows) {
  Ids ids = counted_from(0, 60);
  const Ids again = counted_from(0, 20);
  ids.insert(ids.end(), again.begin(), again.end());
  Lookup lookup = after(ids, 15);
  for (const size_t rows : {4, 8, 12, 16}) lookup.learn_cost(rows, 1);
  lookup.learn_cost(1, 1);
  EXPECT_EQ(lookup.guess(100).size(), 15U) << "rows cost nothing";
  EXPECT_EQ(lookup.guess(100).front(), 20);
  for (int i = 0; i < 50; ++i) {
    for (const size_t rows : {8, 12, 16}) lookup.learn_cost(rows, 4.0 * static_cast<double>(rows));
  }
  EXPECT_EQ(lookup.guess(100).size(), 3U) << "more than a pass is too much";
  for (int i = 0; i < 50; ++i) lookup.learn_cost(4, 4);
  EXPECT_TRUE(lookup.guess(100).empty()) << "each row costs a step";
}

TEST(Lookup, AStepThatWasDisturbedCountsForLittle) {
  Lookup lookup = after({1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5}, 3);
  lookup.learn_cost(1, 1);
  lookup.learn_cost(4, 1000);
  for (int i = 0; i < 8; ++i) lookup.learn_cost(4, 1.2);
  EXPECT_EQ(lookup.guess(100).size(), 3U);
}

// Every pair of tokens is there again and again, and what follows is left to chance.
TEST(Lookup, TextThatDoesNotRepeatItselfIsNotGuessed) {
  std::mt19937 random(3);
  Lookup lookup(15);
  int guesses = 0;
  for (int i = 0; i < 4000; ++i) {
    lookup.accept(static_cast<int32_t>(random() % 30));
    guesses += lookup.guess(100).empty() ? 0 : 1;
  }
  EXPECT_LT(guesses, 80) << "of a step's time each costs a part only";
}

// One token of twenty is another, is left out, or is new.
TEST(Lookup, FollowsATextThroughItsEdits) {
  std::mt19937 random(5);
  const Ids text = counted_from(1000, 600);
  for (const int edit : {0, 1, 2}) {
    Ids answer;
    for (size_t i = 0; i < text.size(); ++i) {
      const bool here = i % 20 == 19;
      if (!here || edit == 2) answer.push_back(text[i]);
      if (here && edit != 1) answer.push_back(static_cast<int32_t>(random() % 1000));
    }
    Lookup lookup(15);
    for (const int32_t id : counted_from(2000, 20)) lookup.accept(id);
    for (const int32_t id : text) lookup.accept(id);
    make_rows_free(lookup);
    lookup.accept(text[0]);
    lookup.accept(text[1]);
    const size_t steps = steps_of(lookup, Ids(answer.begin() + 2, answer.end()));
    EXPECT_LT(steps, answer.size() / 6) << "edit " << edit;
  }
}

TEST(Lookup, GuessesAreNeverLongerThanAllowed) {
  std::mt19937 random(9);
  for (int round = 0; round < 200; ++round) {
    Lookup lookup(static_cast<int64_t>(random() % 20));
    const auto tokens = 2 + random() % 6;
    for (int i = 0; i < 300; ++i) {
      lookup.accept(static_cast<int32_t>(random() % tokens));
      if (random() % 4 == 0) lookup.learn_cost(1 + random() % 80, static_cast<double>(random() % 100));
      const size_t most = random() % 18;
      EXPECT_LE(lookup.guess(most, 1 + random() % 5).size(), most);
    }
  }
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

// The answer that is measured with: all of the work, and the given ids.
TEST(LookupGolden, AGivenAnswerIsGivenWithAndWithoutGuesses) {
  for (const auto& folder : testing::golden_folders()) {
    auto checkpoint = Checkpoint::open(folder / "gguf_models/qwen3-q8_0.gguf");
    if (!checkpoint.ok()) continue;
    EngineOptions options;
    options.threads = 1;
    auto engine = Engine::open(std::move(*checkpoint), options);
    ASSERT_TRUE(engine.ok());
    const auto scheduler = Scheduler::create(*engine);
    ASSERT_TRUE(scheduler.ok());
    const Ids prompt = counted_from(10, 60);
    Ids given = counted_from(10, 40);
    given[20] = 3;
    int64_t steps[2] = {};
    for (const int64_t most : {0, 15}) {
      const auto session = Session::create(**scheduler);
      ASSERT_TRUE(session.ok());
      GenerationOptions generation;
      generation.lookup_tokens = most;
      generation.given_answer = &given;
      const auto pass = [](const GeneratedPiece&) { return true; };
      const auto result = (*session)->generate(prompt, generation, pass);
      ASSERT_TRUE(result.ok());
      EXPECT_EQ(result->ids, given);
      EXPECT_EQ(result->finish, FinishReason::kLength);
      steps[most > 0] = result->steps;
      generation.max_tokens = 5;
      const auto shorter = (*session)->generate(prompt, generation, pass);
      ASSERT_TRUE(shorter.ok());
      EXPECT_EQ(shorter->ids.size(), 5U);
    }
    EXPECT_EQ(steps[0], 39) << "the first token comes with the prompt";
    EXPECT_LT(steps[1], 30);
  }
}

}  // namespace
}  // namespace ink
