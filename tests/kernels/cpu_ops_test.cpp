// CpuOps against plain definitions: every weight type through packing and a linear, attention over scattered
// pages, routing with ties, and the scratch that scopes give back.
#include "kernels/cpu_ops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

#include "kernels/observed_ops.h"
#include "tensor/quants.h"

namespace ink {
namespace {

constexpr uint64_t kScratchBytes = 64 << 20;

std::unique_ptr<CpuOps> make_ops(ThreadPool& threads, const KernelTable& kernels) {
  auto ops = CpuOps::create(kernels, threads, kScratchBytes, 3 * kSpanTokens, 8, 128);
  EXPECT_TRUE(ops.ok());
  return std::move(*ops);
}

std::unique_ptr<CpuOps> make_ops(ThreadPool& threads, const char* kernels = "portable") {
  return make_ops(threads, *find_kernel_table(kernels));
}

std::vector<float> random_floats(std::mt19937& random, int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
  return values;
}

Tensor tensor(std::vector<float>& values, int64_t rows) {
  return {values.data(), rows, static_cast<int64_t>(values.size()) / rows};
}

// Weights of any type: random bytes whose dequantized values are moderate (f16 scales are made small and
// finite).
std::vector<std::byte> random_rows(std::mt19937& random, Dtype dtype, int64_t rows, int64_t cols) {
  const uint64_t size_bytes = *size_bytes_of(dtype, static_cast<uint64_t>(rows * cols));
  std::vector<std::byte> data(size_bytes);
  std::vector<float> values(static_cast<size_t>(rows * cols));
  const auto block = static_cast<uint64_t>(dtype_info(dtype).block_bytes);
  for (uint64_t first = 0; first < size_bytes; first += block) {
    std::vector<float> decoded(static_cast<size_t>(dtype_info(dtype).block_elements));
    bool moderate = false;
    while (!moderate) {
      for (uint64_t i = 0; i < block; ++i) data[first + i] = static_cast<std::byte>(random());
      dequantize_row(dtype, data.data() + first, dtype_info(dtype).block_elements, decoded.data());
      moderate = true;
      for (const float value : decoded)
        moderate = moderate && std::isfinite(value) && std::abs(value) < 100.0f;
    }
  }
  return data;
}

// y = x W^T in double precision from dequantized weights.
std::vector<double> plain_linear(const std::vector<float>& x, Dtype dtype,
                                 const std::vector<std::byte>& weight, int64_t tokens, int64_t rows,
                                 int64_t cols) {
  std::vector<float> w(static_cast<size_t>(rows * cols));
  for (int64_t r = 0; r < rows; ++r) {
    dequantize_row(
        dtype, weight.data() + static_cast<uint64_t>(r) * *size_bytes_of(dtype, static_cast<uint64_t>(cols)),
        cols, w.data() + r * cols);
  }
  std::vector<double> y;
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (int64_t k = 0; k < cols; ++k) {
        sum += static_cast<double>(x[static_cast<size_t>(t * cols + k)]) *
               static_cast<double>(w[static_cast<size_t>(r * cols + k)]);
      }
      y.push_back(sum);
    }
  }
  return y;
}

double relative_error(const Tensor& got, const std::vector<double>& wanted) {
  double difference = 0;
  double norm = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    difference += std::pow(static_cast<double>(got.data[i]) - wanted[i], 2);
    norm += wanted[i] * wanted[i];
  }
  return std::sqrt(difference / norm);
}

TEST(CpuOps, EveryWeightTypeThroughPackingAndLinear) {
  std::mt19937 random(1);
  ThreadPool threads(2);
  const auto ops = make_ops(threads);
  const int64_t rows = 37;  // two whole panels and a part of one
  const int64_t tokens = 3;
  int types = 0;
  for (uint32_t id = 0; id < 64; ++id) {
    const DtypeInfo* info = find_dtype(id);
    if (info == nullptr || (!info->is_quantized && info->dtype != Dtype::kF32 && info->dtype != Dtype::kF16 &&
                            info->dtype != Dtype::kBF16)) {
      continue;
    }
    ++types;
    const int64_t cols = info->is_quantized ? 512 : 75;
    auto x = random_floats(random, tokens * cols);
    const auto weight = random_rows(random, info->dtype, rows, cols);
    const auto wanted = plain_linear(x, info->dtype, weight, tokens, rows, cols);
    for (const Arithmetic arithmetic : {Arithmetic::kExact, Arithmetic::kFast}) {
      auto packed = pack_matrix(PlainRows(info->dtype, weight.data(), rows, cols), arithmetic, threads);
      ASSERT_TRUE(packed.ok());
      const auto scope = ops->scope();
      const Tensor y = ops->linear(tensor(x, tokens), Linear{&*packed, nullptr});
      const bool rounds = info->is_quantized && arithmetic == Arithmetic::kFast;
      EXPECT_LT(relative_error(y, wanted), rounds ? 1.5e-2 : 2e-6) << info->name;
      for (int64_t t = 0; t < tokens; ++t) {
        const Tensor alone = ops->linear({x.data() + t * cols, 1, cols}, Linear{&*packed, nullptr});
        EXPECT_TRUE(std::equal(alone.row(0), alone.row(0) + rows, y.row(t))) << info->name;
      }
    }
  }
  EXPECT_GE(types, 26);
}

TEST(CpuOps, LinearAddsTheBiasAndSharesOneQuantization) {
  std::mt19937 random(2);
  ThreadPool threads(2);
  const auto ops = make_ops(threads);
  auto x = random_floats(random, 5 * 64);
  const auto q8 = random_rows(random, Dtype::kQ8_0, 20, 64);
  auto a = pack_matrix(PlainRows(Dtype::kQ8_0, q8.data(), 20, 64), Arithmetic::kFast, threads);
  auto b = pack_matrix(PlainRows(Dtype::kQ8_0, q8.data(), 16, 64), Arithmetic::kExact, threads);
  auto bias = random_floats(random, 20);
  const auto scope = ops->scope();
  const Tensor plain = ops->linear(tensor(x, 5), Linear{&*a, nullptr});
  const auto [biased, exact] = ops->linear(tensor(x, 5), Linear{&*a, bias.data()}, Linear{&*b, nullptr});
  for (int64_t t = 0; t < 5; ++t) {
    const Tensor alone = ops->linear(Tensor{x.data() + t * 64, 1, 64}, Linear{&*a, bias.data()});
    for (int64_t n = 0; n < 20; ++n) {
      EXPECT_EQ(biased.row(t)[n], plain.row(t)[n] + bias[static_cast<size_t>(n)]);
      EXPECT_EQ(alone.row(0)[n], biased.row(t)[n]);
    }
  }
  EXPECT_LT(relative_error(exact, plain_linear(x, Dtype::kQ8_0, q8, 5, 16, 64)), 2e-6);
}

TEST(CpuOps, PackingNamesTheFirstNumberThatIsNotFinite) {
  std::mt19937 random(5);
  for (const int count : {1, 2}) {
    ThreadPool threads(count);
    auto weight = random_floats(random, 70 * 64);
    weight[33 * 64 + 63] = weight[34 * 64] = std::numeric_limits<float>::quiet_NaN();
    const auto* bytes = reinterpret_cast<const std::byte*>(weight.data());
    const auto packed = pack_matrix(PlainRows(Dtype::kF32, bytes, 70, 64), Arithmetic::kFast, threads);
    ASSERT_FALSE(packed.ok());
    EXPECT_EQ(packed.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(packed.error().message(), "row 33, column 63 is not finite");
  }
}

TEST(CpuOps, RouteTakesTheLargestAndTheLowerNumberOfEquals) {
  ThreadPool threads(1);
  const auto ops = make_ops(threads);
  std::vector<float> logits = {0, 2, 2, 1, -1, 0, /**/ 1, 1, 1, 1, 1, 1};
  const auto scope = ops->scope();
  const Routes routes = ops->route(tensor(logits, 2), 3, true);
  EXPECT_EQ(std::vector<int32_t>(routes.expert, routes.expert + 6), (std::vector<int32_t>{1, 2, 3, 0, 1, 2}));
  EXPECT_NEAR(routes.weight[0] + routes.weight[1] + routes.weight[2], 1.0, 1e-6);
  EXPECT_EQ(routes.weight[0], routes.weight[1]);
  EXPECT_NEAR(routes.weight[3], 1.0 / 3, 1e-6);
}

// What attention of two kv heads with some query heads each gives for `length` tokens that were stored in
// scattered pages, all at once or token by token, and what softmax in double precision gives.
struct Attention {
  static constexpr int64_t kKvHeads = 2;
  int64_t group;
  int64_t heads = group * kKvHeads;
  int64_t head_dim;
  int64_t length;
  std::vector<float> q;
  std::vector<float> k;
  std::vector<float> v;

  Attention(int64_t per_kv_head, int64_t dim, int64_t tokens)
      : group(per_kv_head), head_dim(dim), length(tokens) {
    std::mt19937 random(3);
    q = random_floats(random, length * heads * dim);
    k = random_floats(random, length * kKvHeads * dim);
    v = random_floats(random, length * kKvHeads * dim);
  }

  // Of the tokens from `from` on; what is before them is only stored.
  std::vector<float> run(KvType type, const char* kernels, int64_t at_once, int thread_count = 2,
                         int64_t from = 0) const {
    ThreadPool threads(thread_count);
    const auto ops = make_ops(threads, kernels);
    KernelTable without_attention = *find_kernel_table(kernels);
    without_attention.attend_floats = without_attention.attend_integers = [](const AttentionTile&) {};
    const auto storing_ops = make_ops(threads, without_attention);
    std::vector<int32_t> pages(static_cast<size_t>((length + kKvPageTokens - 1) / kKvPageTokens));
    std::iota(pages.begin(), pages.end(), 0);
    std::shuffle(pages.begin(), pages.end(), std::mt19937(7));
    const std::vector<std::span<const int32_t>> lists = {{}, pages};
    const auto pool_pages = static_cast<int64_t>(pages.size()) + 2;
    const int64_t layer_bytes = pool_pages * kKvHeads * kv_page_bytes(type, head_dim);
    std::vector<std::byte> keys(static_cast<size_t>(2 * layer_bytes),
                                std::byte{0xff});  // NaN where nothing is
    std::vector<std::byte> values(keys.size(), std::byte{0xff});
    const KvView kv{keys.data(), values.data(), type, pool_pages, kKvHeads, head_dim, lists};
    std::vector<float> result;
    for (int64_t first = 0; first < length; first += at_once) {
      const int64_t count = std::min(at_once, length - first);
      const std::vector<int32_t> tokens(static_cast<size_t>(count), 0);
      std::vector<int32_t> slots(tokens.size());
      std::iota(slots.begin(), slots.end(), static_cast<int32_t>(first));
      const std::vector<int32_t> sequences(tokens.size(), 1);
      const Batch batch{tokens, slots, sequences, slots, {}, kv};
      std::vector<float> piece_k(k.begin() + first * kKvHeads * head_dim,
                                 k.begin() + (first + count) * kKvHeads * head_dim);
      std::vector<float> piece_v(v.begin() + first * kKvHeads * head_dim,
                                 v.begin() + (first + count) * kKvHeads * head_dim);
      std::vector<float> piece_q(q.begin() + first * heads * head_dim,
                                 q.begin() + (first + count) * heads * head_dim);
      const bool only_stored = first + count <= from;
      CpuOps& executor = only_stored ? *storing_ops : *ops;
      const auto scope = executor.scope();
      const Tensor out = executor.attention(tensor(piece_q, count * heads), tensor(piece_k, count * kKvHeads),
                                            tensor(piece_v, count * kKvHeads), batch, 1);
      if (only_stored) continue;
      const int64_t left_out = std::max<int64_t>(0, from - first) * heads * head_dim;
      result.insert(result.end(), out.data + left_out, out.data + out.rows * out.cols);
    }
    return result;
  }

  // Of the tokens from `first` on.
  std::vector<double> definition(int64_t first = 0) const {
    std::vector<double> out;
    for (int64_t t = first; t < length; ++t) {
      for (int64_t h = 0; h < heads; ++h) {
        const float* query = q.data() + (t * heads + h) * head_dim;
        std::vector<double> p;
        for (int64_t s = 0; s <= t; ++s) {
          const float* key = k.data() + (s * kKvHeads + h / group) * head_dim;
          p.push_back(std::exp(std::inner_product(query, query + head_dim, key, 0.0) /
                               std::sqrt(static_cast<double>(head_dim))));
        }
        const double sum = std::accumulate(p.begin(), p.end(), 0.0);
        for (int64_t d = 0; d < head_dim; ++d) {
          double wanted = 0;
          for (int64_t s = 0; s <= t; ++s) {
            wanted += p[static_cast<size_t>(s)] / sum *
                      static_cast<double>(v[static_cast<size_t>((s * kKvHeads + h / group) * head_dim + d)]);
          }
          out.push_back(wanted);
        }
      }
    }
    return out;
  }
};

// The types of a cache, and how far attention may be from its definition.
const std::pair<KvType, double> kCacheTypes[] = {
    {KvType::kF32, 1e-5}, {KvType::kF16, 1e-3}, {KvType::kInt16, 5e-4}, {KvType::kInt8, 1e-2}};

TEST(CpuOps, AttentionReadsWhatWasStoredInScatteredPages) {
  for (const auto& [group, head_dim] :
       {std::pair{3, 24}, {3, 32}, {1, 32}, {2, 48}, {4, 32}, {5, 32}, {8, 32}}) {
    const Attention attention(group, head_dim, 70);  // three pages
    const std::vector<double> wanted = attention.definition();
    for (const auto& [type, allowed] : kCacheTypes) {
      for (int i = 0; i < available_kernel_tables().count; ++i) {
        const char* kernels = available_kernel_tables().table[i]->name;
        SCOPED_TRACE(::testing::Message() << kernels << ", " << group << " heads of " << head_dim << ", type "
                                          << static_cast<int>(type));
        const std::vector<float> out = attention.run(type, kernels, 70);
        for (size_t n = 0; n < out.size(); ++n) ASSERT_NEAR(out[n], wanted[n], allowed) << n;
        EXPECT_EQ(attention.run(type, kernels, 1), out) << "token by token";
        EXPECT_EQ(attention.run(type, kernels, 2), out) << "in twos";
        EXPECT_EQ(attention.run(type, kernels, 7), out) << "in sevens";
      }
    }
  }
}

// Three spans, in one tile or shared out among threads, which four of them do with two heads; the first tiles
// begin before a border and end behind it.
TEST(CpuOps, AttentionInSpansIsTheSameWhoeverMakesThem) {
  const Attention attention(2, 16, 2 * kSpanTokens + 37);
  const int64_t first = 2 * kSpanTokens - 20;
  const std::vector<double> wanted = attention.definition(first);
  for (const auto& [type, allowed] : kCacheTypes) {
    for (int i = 0; i < available_kernel_tables().count; ++i) {
      const char* kernels = available_kernel_tables().table[i]->name;
      SCOPED_TRACE(::testing::Message() << kernels << ", type " << static_cast<int>(type));
      const std::vector<float> out = attention.run(type, kernels, 100, 1, first);
      ASSERT_EQ(out.size(), wanted.size());
      for (size_t n = 0; n < wanted.size(); ++n) ASSERT_NEAR(out[n], wanted[n], allowed) << n;
      EXPECT_EQ(attention.run(type, kernels, 13, 1, first), out) << "one thread, in thirteens";
      EXPECT_EQ(attention.run(type, kernels, 13, 4, first), out) << "four threads, in thirteens";
      EXPECT_EQ(attention.run(type, kernels, 1, 4, first), out) << "four threads, token by token";
    }
  }
}

// Experts of one shape, each with its own weights; owns what the projections point to.
struct RandomExperts {
  std::vector<PackedMatrix> matrices;
  std::vector<GatedProjections> experts;

  RandomExperts(std::mt19937& random, ThreadPool& threads, const std::vector<Dtype>& types, int64_t hidden,
                int64_t intermediate) {
    matrices.reserve(3 * types.size());
    for (const Dtype type : types) {
      GatedProjections mlp;
      mlp.gate_proj.weight = pack(random, threads, type, intermediate, hidden);
      mlp.up_proj.weight = pack(random, threads, type, intermediate, hidden);
      mlp.down_proj.weight = pack(random, threads, type, hidden, intermediate);
      experts.push_back(mlp);
    }
  }

 private:
  const PackedMatrix* pack(std::mt19937& random, ThreadPool& threads, Dtype type, int64_t rows,
                           int64_t cols) {
    std::vector<std::byte> data;
    if (type == Dtype::kF32) {
      const auto values = random_floats(random, rows * cols);
      data.resize(values.size() * sizeof(float));
      std::memcpy(data.data(), values.data(), data.size());
    } else {
      data = random_rows(random, type, rows, cols);
    }
    auto packed = pack_matrix(PlainRows(type, data.data(), rows, cols), Arithmetic::kFast, threads);
    EXPECT_TRUE(packed.ok());
    matrices.push_back(std::move(*packed));
    return &matrices.back();
  }
};

std::vector<float> floats_of(Tensor x) { return {x.data, x.data + x.rows * x.cols}; }

// What a block ends with, in one pass each, gives the bits of its definition: for integers, floats and both
// side by side, and where the last group of columns is not whole.
TEST(CpuOps, FeedForwardsGiveTheBitsOfTheirDefinitions) {
  std::mt19937 random(6);
  for (const int count : {1, 2}) {
    ThreadPool threads(count);
    for (int i = 0; i < available_kernel_tables().count; ++i) {
      const char* kernels = available_kernel_tables().table[i]->name;
      const auto ops = make_ops(threads, kernels);
      ObservedOps plain(make_ops(threads, kernels), [](Tensor, const Linear&) {});
      using enum Dtype;
      for (const auto& types :
           {std::vector{kQ4_0, kQ4_0, kQ4_0, kQ4_0}, {kQ8_0, kF32, kQ4_0, kF32}, {kF32, kF32, kF32, kF32}}) {
        const bool floats = types[0] == kF32;
        const int64_t hidden = floats ? 75 : 96;
        const RandomExperts mixture(random, threads, types, hidden, floats ? 43 : 160);
        for (const int64_t tokens : {1, 2, 70, 200}) {
          SCOPED_TRACE(::testing::Message()
                       << kernels << " " << hidden << " columns, " << tokens << " tokens");
          auto x = random_floats(random, tokens * hidden);
          auto h = random_floats(random, tokens * hidden);
          auto logits = random_floats(random, tokens * 4);
          for (int64_t t = 0; t < tokens; ++t) logits[static_cast<size_t>(4 * t + 2)] -= 1.5f;  // hardly ever
          auto wanted = x;
          {
            const auto scope = ops->scope();
            const auto routes = ops->route(tensor(logits, tokens), tokens == 1 ? 3 : 2, true);
            plain.add_mixture(tensor(wanted, tokens), tensor(h, tokens), mixture.experts, routes);
            ops->add_mixture(tensor(x, tokens), tensor(h, tokens), mixture.experts, routes);
          }
          EXPECT_EQ(x, wanted) << "mixture";
          plain.add_gated(tensor(wanted, tokens), tensor(h, tokens), mixture.experts[1]);
          ops->add_gated(tensor(x, tokens), tensor(h, tokens), mixture.experts[1]);
          EXPECT_EQ(x, wanted) << "gated";
          const auto scope = ops->scope();
          auto y = floats_of(ops->linear(tensor(h, tokens), mixture.experts[0].gate_proj));
          const Linear down = mixture.experts[0].down_proj;
          plain.add_linear(tensor(wanted, tokens), tensor(y, tokens), down);
          ops->add_linear(tensor(x, tokens), tensor(y, tokens), down);
          EXPECT_EQ(x, wanted) << "linear";
        }
      }
    }
  }
}

TEST(CpuOps, RopeRotatesHalvesByTheTokensAngle) {
  ThreadPool threads(1);
  const auto ops = make_ops(threads);
  const std::vector<float> inv_freq = {1.0f, 0.5f};
  const std::vector<int32_t> positions = {0, 3};
  std::vector<float> x = {1,      2, 3, 4, 5, 6, 7, 8,
                          /**/ 1, 2, 3, 4, 5, 6, 7, 8};  // two tokens of two heads of 4
  const auto before = x;
  const auto scope = ops->scope();
  ops->rope(tensor(x, 4), ops->rotary_rows({inv_freq, 2.0f}, positions));
  for (size_t i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(x[i], 2 * before[i]) << "position 0 is only scaled";
  EXPECT_NEAR(x[8], 2 * (1 * std::cos(3.0) - 3 * std::sin(3.0)), 1e-5);
  EXPECT_NEAR(x[10], 2 * (3 * std::cos(3.0) + 1 * std::sin(3.0)), 1e-5);
  EXPECT_NEAR(x[13], 2 * (6 * std::cos(1.5) - 8 * std::sin(1.5)), 1e-5);
}

TEST(CpuOps, ScopesGiveScratchBack) {
  ThreadPool threads(1);
  const auto ops = make_ops(threads);
  const auto outer = ops->scope();
  const Tensor kept = ops->zeros(4, 16);
  float* first = nullptr;
  for (int i = 0; i < 1000; ++i) {
    const auto inner = ops->scope();
    const Tensor temporary = ops->zeros(100, 100);
    if (first == nullptr) first = temporary.data;
    EXPECT_EQ(temporary.data, first);
  }
  EXPECT_EQ(ops->zeros(1, 1).data, first);
  EXPECT_EQ(kept.row(3)[15], 0.0f);
}

}  // namespace
}  // namespace ink
