// The sampler against its definition: distributions are checked by counting, cuts by which ids can appear at
// all, penalties and log probabilities by hand-computed numbers.
#include "runtime/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace ink {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Nothing but temperature 1: every option is off until a test sets it.
SamplingOptions plain() {
  SamplingOptions options;
  options.temperature = 1.0f;
  options.top_k = 0;
  options.top_p = 1.0f;
  options.min_p = 0.0f;
  options.seed = 1;
  return options;
}

SamplingOptions greedy() {
  SamplingOptions options = plain();
  options.temperature = 0.0f;
  return options;
}

int32_t sample_once(Sampler& sampler, std::vector<float> logits) { return sampler.sample(logits).id; }

std::map<int32_t, int> count(const SamplingOptions& options, const std::vector<float>& logits, int draws) {
  Sampler sampler(options);
  std::map<int32_t, int> counts;
  for (int i = 0; i < draws; ++i) ++counts[sample_once(sampler, logits)];
  return counts;
}

std::set<int32_t> seen(const SamplingOptions& options, const std::vector<float>& logits) {
  std::set<int32_t> ids;
  for (const auto& [id, times] : count(options, logits, 3000)) ids.insert(id);
  return ids;
}

std::vector<float> logs(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)) + 3.0f);
  return logits;
}

std::vector<float> noise(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<float> logits(size);
  for (float& logit : logits) logit = static_cast<float>(random() >> 40) * 0x1p-20f - 8.0f;
  return logits;
}

TEST(Sampler, GreedyTakesTheBestAndTheLowestIdOfATie) {
  Sampler sampler(greedy());
  EXPECT_EQ(sample_once(sampler, {1, 5, 2}), 1);
  EXPECT_EQ(sample_once(sampler, {1, 7, 7, 7}), 1);
  EXPECT_EQ(sample_once(sampler, {-3, -2, -2}), 1);
  EXPECT_EQ(sample_once(sampler, {0, 1, kInfinity, kInfinity}), 2);
}

TEST(Sampler, DrawsFollowTheSoftmax) {
  const std::vector<double> wanted = {0.5, 0.25, 0.15, 0.1};
  const auto counts = count(plain(), logs(wanted), 40000);
  for (size_t id = 0; id < wanted.size(); ++id)
    EXPECT_NEAR(counts.at(static_cast<int32_t>(id)) / 40000.0, wanted[id], 0.01);
}

TEST(Sampler, TemperatureSharpensAndFlattens) {
  SamplingOptions options = plain();
  options.temperature = 0.5f;  // p^2: 0.64/0.68 and 0.04/0.68
  auto counts = count(options, logs({0.8, 0.2}), 40000);
  EXPECT_NEAR(counts[0] / 40000.0, 0.64 / 0.68, 0.01);
  options.temperature = 2.0f;  // sqrt(p): 2 to 1
  counts = count(options, logs({0.8, 0.2}), 40000);
  EXPECT_NEAR(counts[0] / 40000.0, 2.0 / 3.0, 0.01);
  options.temperature = 1e-6f;
  EXPECT_EQ(seen(options, logs({0.49, 0.51})), std::set<int32_t>{1});
}

TEST(Sampler, TopKKeepsTheBestKWithTiesByLowerId) {
  SamplingOptions options = plain();
  options.top_k = 2;
  EXPECT_EQ(seen(options, {1, 3, 3, 3, 0}), (std::set<int32_t>{1, 2}));
  options.top_k = 1;
  EXPECT_EQ(seen(options, {1, 3, 3}), std::set<int32_t>{1});
  options.top_k = 100;
  EXPECT_EQ(seen(options, {1, 1, 1}), (std::set<int32_t>{0, 1, 2}));
}

TEST(Sampler, TopKOfALargeVocabularyEqualsASort) {
  for (const int32_t k : {1, 20, 40, 1000}) {
    auto logits = noise(151936, 7);
    for (size_t i = 0; i < logits.size(); i += 3) logits[i] = std::round(logits[i] * 4) / 4;  // many ties
    SamplingOptions options = greedy();
    options.logprobs = k;
    Sampler sampler(options);
    auto copy = logits;
    const auto sampled = sampler.sample(copy);
    std::vector<int32_t> order(logits.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)];
    });
    ASSERT_EQ(sampled.top.size(), static_cast<size_t>(k));
    for (size_t i = 0; i < sampled.top.size(); ++i) ASSERT_EQ(sampled.top[i].id, order[i]) << i;
  }
}

TEST(Sampler, TopPKeepsTheSmallestPrefixThatReachesIt) {
  const auto logits = logs({0.1, 0.4, 0.2, 0.3});
  SamplingOptions options = plain();
  options.top_p = 0.65f;
  EXPECT_EQ(seen(options, logits), (std::set<int32_t>{1, 3}));
  options.top_p = 0.75f;
  EXPECT_EQ(seen(options, logits), (std::set<int32_t>{1, 2, 3}));
  options.top_p = 0.0f;
  EXPECT_EQ(seen(options, logits), std::set<int32_t>{1});
}

TEST(Sampler, TopPMeasuresAgainstWhatTopKLeft) {
  // Of 0.4 and 0.3 the first has 57 %: with top-k 2 it alone reaches 0.55.
  const auto logits = logs({0.1, 0.4, 0.2, 0.3});
  SamplingOptions options = plain();
  options.top_k = 2;
  options.top_p = 0.55f;
  EXPECT_EQ(seen(options, logits), std::set<int32_t>{1});
}

TEST(Sampler, TopPMeasuresBeforeTemperature) {
  const auto logits = logs({0.1, 0.4, 0.2, 0.3});
  SamplingOptions options = plain();
  options.top_p = 0.65f;
  options.temperature = 50.0f;
  EXPECT_EQ(seen(options, logits), (std::set<int32_t>{1, 3}));
}

TEST(Sampler, TopPOfAFlatDistributionReachesFarBeyondTheFirstPiece) {
  const std::vector<float> logits(5000, 1.0f);
  SamplingOptions options = plain();
  options.top_p = 0.5f;
  Sampler sampler(options);
  int32_t highest = 0;
  for (int i = 0; i < 2000; ++i) highest = std::max(highest, sample_once(sampler, logits));
  EXPECT_LE(highest, 2500);
  EXPECT_GT(highest, 2400);
}

TEST(Sampler, MinPKeepsWhatIsNearTheBest) {
  const auto logits = logs({0.5, 0.26, 0.2, 0.04});
  SamplingOptions options = plain();
  options.min_p = 0.5f;
  EXPECT_EQ(seen(options, logits), (std::set<int32_t>{0, 1}));
  options.min_p = 0.1f;
  EXPECT_EQ(seen(options, logits), (std::set<int32_t>{0, 1, 2}));
  options.min_p = 5.0f;  // nonsense, but the best one stays
  EXPECT_EQ(seen(options, logits), std::set<int32_t>{0});
}

TEST(Sampler, MinPDoesNotChangeWhatTopPMeasures) {
  // Alone, top-p 0.7 keeps {0, 1}. Measured after min-p had removed the tail, 0.5 / 0.7 > 0.7 would keep {0}.
  const auto logits = logs({0.5, 0.2, 0.06, 0.06, 0.06, 0.06, 0.06});
  SamplingOptions options = plain();
  options.top_p = 0.69f;
  options.min_p = 0.2f;
  EXPECT_EQ(seen(options, logits), (std::set<int32_t>{0, 1}));
}

TEST(Sampler, SameSeedSameTokens) {
  const auto logits = noise(1000, 3);
  const auto run = [&](uint64_t seed) {
    SamplingOptions options;
    options.seed = seed;
    Sampler sampler(options);
    std::vector<int32_t> ids;
    for (int i = 0; i < 50; ++i) ids.push_back(sample_once(sampler, logits));
    return ids;
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

TEST(Sampler, TheRandomSequenceIsTheGeneratorsOwn) {
  // Two equal tokens: the upper 53 bits of mt19937_64 decide, on every platform.
  std::mt19937_64 random(42);
  SamplingOptions options = plain();
  options.seed = 42;
  Sampler sampler(options);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(sample_once(sampler, {1, 1}), (random() >> 63) ? 1 : 0) << i;
}

TEST(Sampler, ResetStartsAgain) {
  const auto logits = noise(100, 4);
  SamplingOptions options = plain();
  options.frequency_penalty = 1.0f;
  Sampler sampler(options);
  const auto run = [&] {
    std::vector<int32_t> ids;
    for (int i = 0; i < 20; ++i) {
      ids.push_back(sample_once(sampler, logits));
      sampler.accept(ids.back());
    }
    return ids;
  };
  const auto first = run();
  EXPECT_NE(run(), first);
  sampler.reset();
  EXPECT_EQ(run(), first);
}

TEST(Sampler, RepeatPenaltyDividesPositiveAndMultipliesNegativeLogits) {
  SamplingOptions options = greedy();
  options.repeat_penalty = 2.0f;
  Sampler sampler(options);
  sampler.accept(0);
  sampler.accept(0);  // how often does not matter
  std::vector<float> logits = {4, 3, -1};
  EXPECT_EQ(sampler.sample(logits).id, 1);
  EXPECT_EQ(logits, (std::vector<float>{2, 3, -1}));
  sampler.accept(2);
  logits = {4, 3, -1};
  sampler.sample(logits);
  EXPECT_EQ(logits, (std::vector<float>{2, 3, -2}));
}

TEST(Sampler, PresenceCountsOnceAndFrequencyEachTime) {
  SamplingOptions options = greedy();
  options.presence_penalty = 0.5f;
  options.frequency_penalty = 0.25f;
  Sampler sampler(options);
  for (const int32_t id : {1, 1, 1, 2}) sampler.accept(id);
  std::vector<float> logits = {1, 1, 1};
  EXPECT_EQ(sampler.sample(logits).id, 0);
  EXPECT_EQ(logits, (std::vector<float>{1.0f, 1.0f - 0.75f - 0.5f, 1.0f - 0.25f - 0.5f}));
}

TEST(Sampler, PenaltiesSeeOnlyTheLastTokens) {
  SamplingOptions options = greedy();
  options.presence_penalty = 1.0f;
  options.penalty_last_n = 2;
  const auto penalised = [&](const SamplingOptions& chosen, const std::vector<int32_t>& history) {
    Sampler sampler(chosen);
    for (const int32_t id : history) sampler.accept(id);
    std::vector<float> logits(4, 0.0f);
    sampler.sample(logits);
    std::set<int32_t> ids;
    for (int32_t id = 0; id < 4; ++id)
      if (logits[static_cast<size_t>(id)] < 0) ids.insert(id);
    return ids;
  };
  EXPECT_EQ(penalised(options, {0, 1, 2, 3}), (std::set<int32_t>{2, 3}));
  EXPECT_EQ(penalised(options, {2, 2, 2, 3, 2}), (std::set<int32_t>{2, 3}));
  options.penalty_last_n = -1;
  EXPECT_EQ(penalised(options, {0, 1, 2, 3}), (std::set<int32_t>{0, 1, 2, 3}));
  options.penalty_last_n = 0;
  EXPECT_EQ(penalised(options, {0, 1, 2, 3}), std::set<int32_t>{});
}

TEST(Sampler, BiasLiftsAndBans) {
  SamplingOptions options = greedy();
  options.logit_bias = {{2, 5.0f}, {9999, 1.0f}, {-1, 1.0f}};  // ids outside the vocabulary are ignored
  Sampler lifting(options);
  EXPECT_EQ(sample_once(lifting, {3, 2, 1}), 2);
  options = plain();
  options.logit_bias = {{0, -kInfinity}};
  EXPECT_EQ(seen(options, {9, 1, 1}), (std::set<int32_t>{1, 2}));
}

TEST(Sampler, NanCountsAsNothing) {
  Sampler sampler(greedy());
  EXPECT_EQ(sample_once(sampler, {kNan, 1, kNan, 2, kNan}), 3);
  EXPECT_EQ(seen(plain(), {kNan, 1, 1, -kInfinity}), (std::set<int32_t>{1, 2}));
  SamplingOptions options = plain();
  options.top_k = 2;
  EXPECT_EQ(seen(options, {kNan, 1, kNan, kNan}), std::set<int32_t>{1});
}

TEST(Sampler, WhenAllIsBannedTheRawBestIsTaken) {
  SamplingOptions options = plain();
  options.logit_bias = {{0, -kInfinity}, {1, -kInfinity}};
  EXPECT_EQ(seen(options, {1, 2}), std::set<int32_t>{1});
  Sampler sampler(plain());
  EXPECT_EQ(sample_once(sampler, {kNan, kNan}), 0);
}

TEST(Sampler, LogprobsAreTheModelsOwn) {
  SamplingOptions options = plain();
  options.top_k = 1;
  options.temperature = 0.1f;
  options.logit_bias = {{0, -kInfinity}};
  options.logprobs = 2;
  Sampler sampler(options);
  auto logits = logs({0.5, 0.3, 0.2});
  const auto sampled = sampler.sample(logits);
  EXPECT_EQ(sampled.id, 1);
  EXPECT_NEAR(sampled.logprob, std::log(0.3), 1e-6);
  ASSERT_EQ(sampled.top.size(), 2u);
  EXPECT_EQ(sampled.top[0].id, 0);
  EXPECT_NEAR(sampled.top[0].logprob, std::log(0.5), 1e-6);
  EXPECT_EQ(sampled.top[1].id, 1);
}

TEST(Sampler, LogprobsZeroReportsOnlyTheChosenOne) {
  SamplingOptions options = greedy();
  options.logprobs = 0;
  Sampler sampler(options);
  auto logits = logs({0.25, 0.75});
  const auto sampled = sampler.sample(logits);
  EXPECT_NEAR(sampled.logprob, std::log(0.75), 1e-6);
  EXPECT_TRUE(sampled.top.empty());
}

}  // namespace
}  // namespace ink
