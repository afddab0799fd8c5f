// Attention of every table against softmax in double precision; each head alone gives what it gives in its
// group; nothing beyond the last slot counts. Tiles of tokens and the types of the cache: cpu_ops_test.cpp.
#include <gtest/gtest.h>

#include <limits>

#include "tests/kernels/kernel_inputs.h"

namespace ink {
namespace {

using testing::index;

constexpr int64_t kHeadDims[] = {8, 20, 24, 32, 64, 80, 100, 128};
constexpr int64_t kHeadCounts[] = {1, 2, 3, 4, 5, 8};
constexpr int64_t kLengths[] = {1, 2, 31, 32, 33, 64, 65, 200};

struct Case {
  int64_t heads;
  int64_t head_dim;
  int64_t length;
  std::vector<float> q;
  std::vector<std::vector<float>> k;  // pages; slots past the length hold NaN
  std::vector<std::vector<float>> v;

  Case(int64_t heads_, int64_t head_dim_, int64_t length_, testing::Random& random, float deviation = 1.0f)
      : heads(heads_),
        head_dim(head_dim_),
        length(length_),
        q(random.normals(heads_ * head_dim_, deviation)) {
    for (int64_t start = 0; start < length; start += kKvPageTokens) {
      for (auto* pages : {&k, &v}) {
        pages->push_back(random.normals(kKvPageTokens * head_dim));
        for (int64_t t = length - start; t < kKvPageTokens; ++t) {
          for (int64_t d = 0; d < head_dim; ++d) pages->back()[index(t * head_dim + d)] = NAN;
        }
      }
    }
  }

  float scale() const { return 1.0f / std::sqrt(static_cast<float>(head_dim)); }

  std::vector<float> attend(const KernelTable& table, int64_t first, int64_t count) const {
    std::vector<const std::byte*> k_pages;
    std::vector<const std::byte*> v_pages;
    for (const auto& page : k) k_pages.push_back(reinterpret_cast<const std::byte*>(page.data()));
    for (const auto& page : v) v_pages.push_back(reinterpret_cast<const std::byte*>(page.data()));
    std::vector<float> scratch(index(attention_scratch_floats(count, head_dim)), NAN);
    std::vector<float> out(index(count * head_dim), -1.0f);
    table.attend({.q = q.data() + first * head_dim,
                  .out = out.data(),
                  .token_stride = heads * head_dim,
                  .tokens = 1,
                  .heads = count,
                  .head_dim = head_dim,
                  .type = KvType::kF32,
                  .k_pages = k_pages.data(),
                  .v_pages = v_pages.data(),
                  .first_length = length,
                  .scale = scale(),
                  .scratch = scratch.data()});
    return out;
  }

  const float* row(const std::vector<std::vector<float>>& pages, int64_t slot) const {
    return pages[index(slot / kKvPageTokens)].data() + slot % kKvPageTokens * head_dim;
  }

  std::vector<double> definition() const {
    std::vector<double> out(index(heads * head_dim));
    for (int64_t h = 0; h < heads; ++h) {
      std::vector<double> score(index(length));
      double largest = -std::numeric_limits<double>::infinity();
      for (int64_t t = 0; t < length; ++t) {
        double dot = 0.0;
        for (int64_t d = 0; d < head_dim; ++d)
          dot += static_cast<double>(q[index(h * head_dim + d)]) * row(k, t)[d];
        score[index(t)] = dot * scale();
        largest = std::max(largest, score[index(t)]);
      }
      double sum = 0.0;
      for (double& s : score) sum += s = std::exp(s - largest);
      for (int64_t t = 0; t < length; ++t) {
        for (int64_t d = 0; d < head_dim; ++d)
          out[index(h * head_dim + d)] += score[index(t)] / sum * row(v, t)[d];
      }
    }
    return out;
  }
};

TEST(Attention, FollowsTheDefinitionWhateverTheOtherHeads) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const int64_t head_dim : kHeadDims) {
      for (const int64_t heads : kHeadCounts) {
        for (const int64_t length : kLengths) {
          SCOPED_TRACE(::testing::Message() << table->name << " head_dim " << head_dim << " heads " << heads
                                            << " length " << length);
          testing::Random random(static_cast<uint32_t>(head_dim * 10000 + heads * 1000 + length));
          const Case input(heads, head_dim, length, random);
          const std::vector<float> out = input.attend(*table, 0, heads);
          const std::vector<double> wanted = input.definition();
          EXPECT_TRUE(testing::close_floats(out, wanted, std::vector<double>(out.size(), 3e-6)));
          for (int64_t h = 0; h < heads; ++h) {
            const std::vector<float> alone = input.attend(*table, h, 1);
            EXPECT_TRUE(
                testing::same_floats(alone, std::span(out).subspan(index(h * head_dim), index(head_dim))));
          }
        }
      }
    }
  }
}

// Scores of many hundreds: softmax must not overflow, and nearly all the weight lies on one slot.
TEST(Attention, LargeScoresDoNotOverflow) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    testing::Random random(5);
    const Case input(2, 64, 70, random, 200.0f);
    const std::vector<float> out = input.attend(*table, 0, 2);
    // A score of 800 has a rounding of 3e-5, which the exponential turns into a relative error.
    EXPECT_TRUE(testing::close_floats(out, input.definition(), std::vector<double>(out.size(), 1e-3)));
  }
}

// Scores around -400, none near 0: the largest must be found among the slots and nowhere else.
TEST(Attention, ScoresFarBelowZeroStillShareTheWeight) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const int64_t length : {1, 5, 8, 13, 33}) {
      SCOPED_TRACE(::testing::Message() << table->name << " " << length);
      testing::Random random(9);
      Case input(2, 16, length, random);
      input.q.assign(input.q.size(), -100.0f);
      for (auto& page : input.k) {
        for (float& key : page) key = 1.0f + 0.01f * key;
      }
      const std::vector<float> out = input.attend(*table, 0, 2);
      EXPECT_TRUE(testing::close_floats(out, input.definition(), std::vector<double>(out.size(), 1e-3)));
    }
  }
}

TEST(Attention, EqualScoresGiveTheMean) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    testing::Random random(6);
    Case input(3, 24, 33, random);
    input.q.assign(input.q.size(), 0.0f);
    const std::vector<float> out = input.attend(*table, 0, 3);
    for (int64_t i = 0; i < 3 * 24; ++i) {
      double mean = 0.0;
      for (int64_t t = 0; t < 33; ++t) mean += input.row(input.v, t)[i % 24] / 33.0;
      EXPECT_NEAR(out[index(i)], mean, 1e-6);
    }
  }
}

TEST(Attention, ANanShowsInItsHeadOnly) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    testing::Random random(8);
    Case input(4, 32, 40, random);
    const std::vector<float> clean = input.attend(*table, 0, 4);
    input.q[2 * 32 + 7] = NAN;
    const std::vector<float> out = input.attend(*table, 0, 4);
    for (size_t i = 0; i < out.size(); ++i) {
      if (i / 32 == 2) {
        EXPECT_TRUE(std::isnan(out[i]));
      } else {
        EXPECT_EQ(out[i], clean[i]);
      }
    }
  }
}

// Rotation keeps lengths and products, and is its own inverse.
TEST(Attention, HadamardIsARotation) {
  testing::Random random(4);
  const std::vector<float> a = random.normals(128);
  const std::vector<float> b = random.normals(128);
  std::vector<float> rotated_a = a;
  std::vector<float> rotated_b = b;
  hadamard(rotated_a.data(), 128);
  hadamard(rotated_b.data(), 128);
  double product = 0.0;
  double rotated_product = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += a[i] * b[i];
    rotated_product += rotated_a[i] * rotated_b[i];
  }
  EXPECT_NEAR(rotated_product, product, 1e-4);
  hadamard(rotated_a.data(), 128);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(rotated_a[i], a[i], 1e-5);
}

TEST(Attention, HalvesAreBitEqualAcrossTables) {
  testing::Random random(11);
  for (const int64_t count : {1, 7, 8, 24, 131}) {
    std::vector<float> values = random.normals(count, 1000.0f);
    values[0] = 1e6f;
    values.back() = 1e-7f;
    std::vector<uint16_t> wanted(values.size());
    available_kernel_tables().table[0]->to_f16(values.data(), count, wanted.data());
    for (const KernelTable* table : testing::all_tables()) {
      std::vector<uint16_t> got(values.size());
      table->to_f16(values.data(), count, got.data());
      EXPECT_EQ(got, wanted) << table->name;
    }
  }
}

}  // namespace
}  // namespace ink
