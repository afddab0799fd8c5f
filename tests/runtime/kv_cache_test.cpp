// Pages that sequences share: what is found, what is copied before it is written, what goes first when memory
// is short. The pages of these tests hold one layer of one head of two floats.
#include "runtime/kv_cache.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace ink {
namespace {

ModelConfig small_config() {
  ModelConfig config;
  config.num_hidden_layers = 2;
  config.num_key_value_heads = 1;
  config.head_dim = 2;
  return config;
}

KvCache cache_of(int64_t tokens, int sequences) {
  auto cache = KvCache::create(small_config(), KvType::kF32, tokens, sequences);
  EXPECT_TRUE(cache.ok());
  return std::move(*cache);
}

std::vector<int32_t> counting(int32_t first, size_t count) {
  std::vector<int32_t> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

// The place of a slot's keys in one layer.
float* key(KvCache& cache, int sequence, int64_t slot, int64_t layer) {
  const KvView view = cache.view();
  const int32_t page = view.pages[static_cast<size_t>(sequence)][static_cast<size_t>(slot / kKvPageTokens)];
  std::byte* bytes = view.keys + view.place(layer, 0, page);
  return reinterpret_cast<float*>(bytes) + slot % kKvPageTokens * view.head_dim;
}

// Feeds tokens as a step would: the key of a slot is its token and what came before it.
void feed(KvCache& cache, int sequence, const std::vector<int32_t>& tokens) {
  const int64_t from = cache.length(sequence);
  cache.extend(sequence, tokens);
  for (int64_t layer = 0; layer < 2; ++layer) {
    for (int64_t slot = from; slot < cache.length(sequence); ++slot) {
      const float before = slot == 0 ? 0 : *key(cache, sequence, slot - 1, layer);
      *key(cache, sequence, slot, layer) =
          before / 2 + static_cast<float>(tokens[static_cast<size_t>(slot - from)]);
    }
  }
}

bool holds(KvCache& cache, int sequence, const std::vector<int32_t>& tokens) {
  if (cache.length(sequence) < static_cast<int64_t>(tokens.size())) return false;
  for (int64_t layer = 0; layer < 2; ++layer) {
    float expected = 0;
    for (size_t slot = 0; slot < tokens.size(); ++slot) {
      expected = expected / 2 + static_cast<float>(tokens[slot]);
      if (*key(cache, sequence, static_cast<int64_t>(slot), layer) != expected) return false;
    }
  }
  return true;
}

TEST(KvCache, GivesWhatWasGranted) {
  KvCache cache = cache_of(96, 4);
  const int first = cache.open(33);
  ASSERT_GE(first, 0);
  EXPECT_EQ(cache.open(64), -1) << "two of three pages are granted";
  const int second = cache.open(32);
  ASSERT_GE(second, 0);
  EXPECT_EQ(cache.open(1), -1);
  cache.close(first);
  EXPECT_GE(cache.open(64), 0);
}

TEST(KvCache, TakesOverWhatAnotherSequenceShared) {
  KvCache cache = cache_of(512, 3);
  const int writer = cache.open(100);
  const auto prompt = counting(1, 80);
  feed(cache, writer, prompt);
  const int before = cache.open(100);
  EXPECT_EQ(cache.reuse(before, prompt), 0) << "nothing is found that was not shared";
  cache.share(writer);
  const int reader = cache.open(100);
  EXPECT_EQ(cache.reuse(reader, prompt), 64) << "full pages";
  EXPECT_TRUE(holds(cache, reader, counting(1, 64)));
  EXPECT_EQ(cache.usage().used, 3);
}

TEST(KvCache, KeepsWhatNobodyUses) {
  KvCache cache = cache_of(512, 1);
  const int writer = cache.open(512);
  feed(cache, writer, counting(1, 64));
  cache.share(writer);
  cache.close(writer);
  EXPECT_EQ(cache.usage().kept, 2);
  const int reader = cache.open(512);
  EXPECT_EQ(cache.reuse(reader, counting(1, 65)), 64);
  EXPECT_EQ(cache.usage().kept, 0);
}

TEST(KvCache, TheLastTokenIsAlwaysLeftToFeed) {
  KvCache cache = cache_of(512, 2);
  const int writer = cache.open(200);
  feed(cache, writer, counting(1, 64));
  cache.share(writer);
  const int reader = cache.open(200);
  EXPECT_EQ(cache.reuse(reader, counting(1, 64)), 63);
  EXPECT_EQ(cache.reuse(reader, counting(1, 1)), 0);
  EXPECT_EQ(cache.reuse(reader, {}), 0);
}

TEST(KvCache, CopiesAPageBeforeItIsWrittenDifferently) {
  KvCache cache = cache_of(512, 2);
  const int writer = cache.open(200);
  const auto prompt = counting(1, 64);
  feed(cache, writer, prompt);
  cache.share(writer);
  const int reader = cache.open(200);
  auto other = counting(1, 50);
  other.push_back(1000);
  EXPECT_EQ(cache.reuse(reader, other), 50) << "32 of a full page, 18 of one that goes on differently";
  feed(cache, reader, {1000, 1001});
  other.push_back(1001);
  EXPECT_TRUE(holds(cache, reader, other));
  EXPECT_TRUE(holds(cache, writer, prompt));
  cache.truncate(writer, 40);
  feed(cache, writer, {7});
  auto shorter = counting(1, 40);
  shorter.push_back(7);
  EXPECT_TRUE(holds(cache, writer, shorter));
  cache.close(reader);
  const int third = cache.open(200);
  EXPECT_EQ(cache.reuse(third, counting(1, 100)), 64) << "the shared page is still there";
  EXPECT_TRUE(holds(cache, third, prompt));
}

TEST(KvCache, WritesInPlaceWhenThereIsNoRoomForACopy) {
  KvCache cache = cache_of(64, 1);
  const int only = cache.open(64);
  feed(cache, only, counting(1, 64));
  cache.share(only);
  cache.truncate(only, 40);
  feed(cache, only, counting(500, 24));
  auto expected = counting(1, 40);
  for (const int32_t id : counting(500, 24)) expected.push_back(id);
  EXPECT_TRUE(holds(cache, only, expected));
}

TEST(KvCache, ForgetsTheLeastRecentlyUsedAndEndsBeforeBeginnings) {
  KvCache cache = cache_of(128, 1);
  int sequence = cache.open(128);
  feed(cache, sequence, counting(1, 64));
  cache.share(sequence);
  cache.truncate(sequence, 0);
  feed(cache, sequence, counting(1000, 64));
  cache.share(sequence);
  cache.truncate(sequence, 0);
  EXPECT_EQ(cache.reuse(sequence, counting(1, 65)), 64);  // used again: the other one is older now
  cache.truncate(sequence, 0);
  feed(cache, sequence, counting(5000, 32));
  cache.close(sequence);
  sequence = cache.open(128);
  EXPECT_EQ(cache.reuse(sequence, counting(1000, 65)), 32) << "its second page had to go";
  EXPECT_EQ(cache.reuse(sequence, counting(1, 65)), 64);
}

TEST(KvCache, TheSamePagesWrittenTwiceBecomeOne) {
  KvCache cache = cache_of(512, 2);
  const int a = cache.open(100);
  const int b = cache.open(100);
  feed(cache, a, counting(1, 70));
  feed(cache, b, counting(1, 70));
  EXPECT_EQ(cache.usage().used, 6);
  cache.share(a);
  cache.share(b);
  EXPECT_EQ(cache.usage().used, 4);
  EXPECT_TRUE(holds(cache, b, counting(1, 70)));
}

TEST(KvCache, ExplainsWhereAPromptDiverges) {
  KvCache cache = cache_of(512, 1);
  const int writer = cache.open(512);
  feed(cache, writer, counting(1, 64));
  cache.share(writer);
  auto prompt = counting(1, 40);
  prompt.push_back(9);
  prompt.push_back(8);
  const CacheDivergence divergence = cache.explain(prompt);
  EXPECT_EQ(divergence.matched_tokens, 40);
  ASSERT_FALSE(divergence.kept.empty());
  EXPECT_EQ(divergence.kept.front(), 41);
  EXPECT_EQ(divergence.wanted, (std::vector<int32_t>{9, 8}));
  EXPECT_EQ(cache.explain({}).matched_tokens, 0);
}

// Whatever sequences do, each holds what it was fed, and pages are neither lost nor given to two that write.
TEST(KvCache, RandomConversationsKeepTheirContent) {
  std::mt19937 random(7);
  KvCache cache = cache_of(768, 6);  // exactly what is granted
  std::vector<std::vector<int32_t>> said(6);
  std::vector<int> open;
  for (int i = 0; i < 6; ++i) open.push_back(cache.open(100));
  for (int round = 0; round < 3000; ++round) {
    const auto which = random() % 6;
    auto& tokens = said[which];
    const int sequence = open[which];
    switch (random() % 5) {
      case 0: {  // another conversation, mostly of few different beginnings
        tokens.assign(random() % 90, static_cast<int32_t>(random() % 3));
        const auto kept = cache.reuse(sequence, tokens);
        const std::vector<int32_t> rest(tokens.begin() + kept, tokens.end());
        if (!rest.empty()) feed(cache, sequence, rest);
        break;
      }
      case 1:
        tokens.resize(random() % (tokens.size() + 1));
        cache.truncate(sequence, static_cast<int64_t>(tokens.size()));
        break;
      case 2:
        cache.share(sequence);
        break;
      case 3: {
        cache.close(sequence);
        open[which] = cache.open(100);
        ASSERT_GE(open[which], 0);
        tokens.clear();
        break;
      }
      default: {
        const std::vector<int32_t> more(std::min<size_t>(random() % 20, 100 - tokens.size()),
                                        static_cast<int32_t>(random() % 3));
        if (!more.empty()) feed(cache, sequence, more);
        tokens.insert(tokens.end(), more.begin(), more.end());
      }
    }
    for (size_t i = 0; i < said.size(); ++i) ASSERT_TRUE(holds(cache, open[i], said[i])) << "round " << round;
  }
  for (const int sequence : open) cache.close(sequence);
  EXPECT_EQ(cache.usage().used, 0);
}

}  // namespace
}  // namespace ink
