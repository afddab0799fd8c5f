// Attention of every table against softmax in double precision; each head alone gives what it gives in its
// group; nothing beyond the last slot counts. Tiles of tokens, and f16: cpu_ops_test.cpp.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "kernels/cpu_ops.h"
#include "tests/kernels/kernel_inputs.h"

namespace ink {
namespace {

using testing::index;

constexpr int64_t kHeadDims[] = {8, 20, 24, 32, 64, 80, 100, 128};
constexpr int64_t kHeadCounts[] = {1, 2, 3, 4, 5, 8};
constexpr int64_t kLengths[] = {1, 2, 31, 32, 33, 64, 65, 200};

// A type, and how far its results may be from the definition where numbers are normally distributed.
const std::pair<KvType, double> kTypes[] = {
    {KvType::kF32, 3e-6}, {KvType::kInt16, 1e-3}, {KvType::kInt8, 6e-2}};

// A page of floats as one of integers; what is not finite was never written, and is -1 with a scale of NaN.
std::vector<std::byte> integer_page(const KernelTable& table, KvType type, int64_t head_dim, bool are_keys,
                                    const std::vector<float>& floats) {
  const auto page_bytes = index(kv_page_bytes(type, head_dim));
  std::vector<std::byte> page(page_bytes, std::byte{0xff});
  const IntegerLimits limits = integer_limits(type, head_dim);
  std::vector<int16_t> rounded(index(head_dim));
  for (int64_t t = 0; t < kKvPageTokens && !std::isnan(floats[index(t * head_dim)]); ++t) {
    std::vector<float> row(floats.begin() + t * head_dim, floats.begin() + (t + 1) * head_dim);
    if (are_keys && rotates_keys(type, head_dim)) table.rotate_row(row.data(), head_dim);
    const float scale =
        table.round_row(row.data(), head_dim, are_keys ? limits.key : limits.value, rounded.data());
    std::memcpy(page.data() + page_bytes + (t - kKvPageTokens) * 4, &scale, sizeof scale);
    for (int64_t d = 0; d < head_dim; ++d) {
      const auto place = index(are_keys ? integer_key_place(t, d) : integer_value_place(t, d, head_dim));
      const int16_t element = rounded[index(d)];
      if (type == KvType::kInt16) {
        std::memcpy(page.data() + 2 * place, &element, sizeof element);
      } else {
        page[place] = static_cast<std::byte>(element);
      }
    }
  }
  return page;
}

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

  std::vector<float> attend(const KernelTable& table, int64_t first, int64_t count,
                            KvType type = KvType::kF32) const {
    std::vector<const std::byte*> k_pages;
    std::vector<const std::byte*> v_pages;
    std::vector<std::vector<std::byte>> converted;
    converted.reserve(k.size() + v.size());
    for (const auto* pages : {&k, &v}) {
      for (const auto& page : *pages) {
        const auto* bytes = reinterpret_cast<const std::byte*>(page.data());
        if (is_integer_type(type)) {
          converted.push_back(integer_page(table, type, head_dim, pages == &k, page));
          bytes = converted.back().data();
        }
        (pages == &k ? k_pages : v_pages).push_back(bytes);
      }
    }
    std::vector<float> scratch(index(attention_scratch_floats(count, head_dim)), NAN);
    const int64_t padded = padded_dim(head_dim);
    std::vector<float> values(index(count * padded), -1.0f);
    std::vector<float> largest(index(count), -1.0f);
    std::vector<float> weight(index(count), -1.0f);
    AttentionTile tile = {};
    tile.q = q.data() + first * head_dim;
    tile.token_stride = heads * head_dim;
    tile.scale = scale();
    tile.tokens = 1;
    tile.heads = count;
    tile.head_dim = head_dim;
    tile.type = type;
    tile.k_pages = k_pages.data();
    tile.v_pages = v_pages.data();
    tile.first_length = length;
    tile.scratch = scratch.data();
    tile.sums = {values.data(), largest.data(), weight.data()};
    std::vector<int16_t> rounded_q(index(count * padded));
    std::vector<float> q_scale(index(count));
    if (is_integer_type(type)) round_queries(table, tile, rounded_q.data(), q_scale.data());
    tile.rounded_q = rounded_q.data();
    tile.q_scale = q_scale.data();
    table.attend(tile);
    std::vector<float> out(index(count * head_dim));
    for (int64_t i = 0; i < count * head_dim; ++i) {
      const int64_t row = i / head_dim;
      out[index(i)] = values[index(row * padded + i % head_dim)] / weight[index(row)];
    }
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
          const std::vector<double> wanted = input.definition();
          for (const auto& [type, allowed] : kTypes) {
            SCOPED_TRACE(static_cast<int>(type));
            const std::vector<float> out = input.attend(*table, 0, heads, type);
            EXPECT_TRUE(testing::close_floats(out, wanted, std::vector<double>(out.size(), allowed)));
            for (int64_t h = 0; h < heads; ++h) {
              const std::vector<float> alone = input.attend(*table, h, 1, type);
              EXPECT_TRUE(
                  testing::same_floats(alone, std::span(out).subspan(index(h * head_dim), index(head_dim))));
            }
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
    for (const auto& [type, allowed] : kTypes) {
      const std::vector<float> out = input.attend(*table, 0, 3, type);
      for (int64_t i = 0; i < 3 * 24; ++i) {
        double mean = 0.0;
        for (int64_t t = 0; t < 33; ++t) mean += input.row(input.v, t)[i % 24] / 33.0;
        EXPECT_NEAR(out[index(i)], mean, type == KvType::kF32 ? 1e-6 : allowed);
      }
    }
  }
}

TEST(Attention, ANanShowsInItsHeadOnly) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    for (const auto& [type, allowed] : kTypes) {
      testing::Random random(8);
      Case input(4, 32, 40, random);
      const std::vector<float> clean = input.attend(*table, 0, 4, type);
      input.q[2 * 32 + 7] = NAN;
      const std::vector<float> out = input.attend(*table, 0, 4, type);
      for (size_t i = 0; i < out.size(); ++i) {
        if (i / 32 == 2) {
          EXPECT_TRUE(std::isnan(out[i]));
        } else {
          EXPECT_EQ(out[i], clean[i]);
        }
      }
    }
  }
}

// Queries, keys and shares all as large as they get: no sum of products overflows.
TEST(IntegerAttention, TheLargestSumsFit) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const int64_t head_dim : {2, 8, 64, 128, 256, 4096}) {
      SCOPED_TRACE(::testing::Message() << table->name << " head_dim " << head_dim);
      testing::Random random(3);
      Case input(2, head_dim, 64, random);
      input.q.assign(input.q.size(), 1.0f);
      for (auto* pages : {&input.k, &input.v}) {
        for (auto& page : *pages) page.assign(page.size(), -3.0f);
      }
      for (const float value : input.attend(*table, 0, 2, KvType::kInt16)) EXPECT_NEAR(value, -3.0, 1e-3);
      for (const float value : input.attend(*table, 0, 2, KvType::kInt8)) EXPECT_NEAR(value, -3.0, 3e-2);
    }
  }
}

// Keys with an outlier channel, as Qwen3 has them, and slots whose values are next to nothing while nearly
// all weight is theirs.
TEST(IntegerAttention, OutliersCostLittle) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    testing::Random random(12);
    Case input(2, 128, 100, random);
    for (auto& page : input.k) {
      for (size_t i = 5; i < page.size(); i += 128) page[i] *= 40.0f;
    }
    for (int64_t d = 0; d < 128; ++d) {
      input.k[0][index(d)] = 0.4f * input.q[index(d)];  // a sink
      input.v[0][index(d)] *= 0.01f;
    }
    const std::vector<float> out = input.attend(*table, 0, 2, KvType::kInt16);
    EXPECT_TRUE(testing::close_floats(out, input.definition(), std::vector<double>(out.size(), 1e-3)));
  }
}

// A row of keys or values that is not finite shows in what sees it, and nothing else is NaN.
TEST(IntegerAttention, ABrokenRowShows) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const KvType type : {KvType::kInt16, KvType::kInt8}) {
      for (const bool in_keys : {true, false}) {
        testing::Random random(13);
        Case input(2, 32, 40, random);
        const auto is_nan = [](float value) { return std::isnan(value); };
        auto out = input.attend(*table, 0, 2, type);
        EXPECT_TRUE(std::none_of(out.begin(), out.end(), is_nan));
        (in_keys ? input.k : input.v)[1][3 * 32 + 9] = INFINITY;
        out = input.attend(*table, 0, 2, type);
        EXPECT_TRUE(std::all_of(out.begin(), out.end(), is_nan)) << table->name << " keys " << in_keys;
      }
    }
  }
}

TEST(IntegerAttention, RoundedRowsAreBitEqualAcrossTables) {
  testing::Random random(14);
  for (const int64_t count : {2, 8, 20, 131}) {
    for (const int limit : {127, 4095, 32767}) {
      for (const float broken : {0.0f, INFINITY, -NAN}) {
        std::vector<float> values = random.normals(count, broken == 0.0f && count == 8 ? 1e-41f : 10.0f);
        if (broken != 0.0f) values.back() = broken;
        const auto round = [&](const KernelTable& table) {
          std::vector<int16_t> rounded(values.size());
          const float scale = table.round_row(values.data(), count, limit, rounded.data());
          rounded.push_back(std::isnan(scale) ? int16_t{1} : int16_t{0});
          if (!std::isnan(scale)) {
            for (const float value : values)
              EXPECT_LE(std::abs(value), scale * 1.0001f * static_cast<float>(limit) + 1e-37f);
          }
          return std::pair{rounded, std::isnan(scale) ? 0.0f : scale};
        };
        const auto wanted = round(*available_kernel_tables().table[0]);
        for (const KernelTable* table : testing::all_tables())
          EXPECT_EQ(round(*table), wanted) << table->name;
      }
    }
  }
}

// Rotation keeps products, is its own inverse, and gives the same bits everywhere.
TEST(IntegerAttention, RotationOfEveryTable) {
  testing::Random random(4);
  for (const int64_t count : {8, 16, 128, 1024}) {
    const std::vector<float> a = random.normals(count);
    const std::vector<float> b = random.normals(count);
    const auto rotate = [count](const KernelTable& table, std::vector<float> x) {
      table.rotate_row(x.data(), count);
      return x;
    };
    const KernelTable& portable = *available_kernel_tables().table[0];
    const std::vector<float> rotated_a = rotate(portable, a);
    const std::vector<float> rotated_b = rotate(portable, b);
    const std::vector<float> again = rotate(portable, rotated_a);
    double product = 0.0;
    double rotated_product = 0.0;
    for (size_t i = 0; i < a.size(); ++i) {
      product += a[i] * b[i];
      rotated_product += rotated_a[i] * rotated_b[i];
      EXPECT_NEAR(again[i], a[i], 1e-5);
    }
    EXPECT_NEAR(rotated_product, product, count <= 128 ? 1e-4 : 1e-3);
    for (const KernelTable* table : testing::all_tables())
      EXPECT_EQ(rotate(*table, a), rotated_a) << table->name;
  }
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
