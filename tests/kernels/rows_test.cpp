// Functions of one row: quantization (bit-equal across tables), norm and gate (near their definition in
// double).
#include <gtest/gtest.h>

#include <limits>

#include "tests/kernels/kernel_inputs.h"

namespace ink {
namespace {

using testing::index;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Quantized {
  std::vector<int8_t> q;
  std::vector<float> scale;
  std::vector<int32_t> sum16;
};

Quantized quantize(const KernelTable& table, const std::vector<float>& x) {
  Quantized result = {std::vector<int8_t>(x.size(), 99), std::vector<float>(x.size() / kGroup, -1.0f),
                      std::vector<int32_t>(x.size() / 16, -1)};
  table.quantize_row(x.data(), static_cast<int64_t>(x.size()), result.q.data(), result.scale.data(),
                     result.sum16.data());
  return result;
}

// The definition, on one group of finite values whose scale is a normal number.
void expect_definition(const float* x, const int8_t* q, float scale, const int32_t* sum16) {
  float largest = 0.0f;
  for (int i = 0; i < kGroup; ++i) largest = std::max(largest, std::abs(x[i]));
  EXPECT_EQ(scale, largest / 127.0f);
  for (int i = 0; i < kGroup; ++i) {
    EXPECT_EQ(static_cast<float>(q[i]), std::nearbyint(x[i] / scale)) << "at " << i;
    EXPECT_LE(std::abs(q[i]), 127);
  }
  for (int half = 0; half < 2; ++half) {
    int sum = 0;
    for (int i = 0; i < 16; ++i) sum += q[16 * half + i];
    EXPECT_EQ(sum16[half], sum);
  }
}

TEST(QuantizeRow, FollowsTheDefinition) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const int64_t cols : {32, 64, 96, 256, 1056}) {
      for (const float deviation : {1.0f, 1e-30f, 1e30f, 3e-3f}) {
        SCOPED_TRACE(::testing::Message() << table->name << " " << cols << " " << deviation);
        testing::Random random(static_cast<uint32_t>(cols));
        std::vector<float> x = random.normals(cols, deviation);
        x[5] *= 60.0f;  // an outlier
        const Quantized got = quantize(*table, x);
        for (int64_t g = 0; g < cols / kGroup; ++g)
          expect_definition(x.data() + g * kGroup, got.q.data() + g * kGroup, got.scale[index(g)],
                            got.sum16.data() + 2 * g);
        const Quantized specified = quantize(*available_kernel_tables().table[0], x);
        EXPECT_EQ(got.q, specified.q);
        EXPECT_EQ(got.sum16, specified.sum16);
        EXPECT_TRUE(testing::same_floats(got.scale, specified.scale));
      }
    }
  }
}

TEST(QuantizeRow, TiesGoToEven) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    std::vector<float> x(kGroup, 0.0f);
    x[0] = 127.0f;  // scale 1
    const float ties[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 125.5f, 126.5f};
    const int8_t wanted[] = {0, 2, 2, 0, -2, -2, 126, 126};
    for (size_t i = 0; i < std::size(ties); ++i) x[i + 1] = ties[i];
    const Quantized got = quantize(*table, x);
    for (size_t i = 0; i < std::size(ties); ++i) EXPECT_EQ(got.q[i + 1], wanted[i]) << ties[i];
  }
}

TEST(QuantizeRow, ZerosAndScalesTooSmallGiveZero) {
  const float smallest_scale = std::numeric_limits<float>::min();
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    for (const float value :
         {0.0f, -0.0f, std::numeric_limits<float>::denorm_min(), 126.0f * smallest_scale}) {
      std::vector<float> x(kGroup, 0.0f);
      x[31] = value;
      const Quantized got = quantize(*table, x);
      EXPECT_EQ(got.scale[0], 0.0f);
      EXPECT_EQ(got.q, std::vector<int8_t>(kGroup, 0));
      EXPECT_EQ(got.sum16, std::vector<int32_t>(2, 0));
    }
    std::vector<float> x(kGroup, 0.0f);
    x[31] = -127.0f * smallest_scale;
    const Quantized got = quantize(*table, x);
    EXPECT_EQ(got.scale[0], smallest_scale);
    EXPECT_EQ(got.q[31], -127);
  }
}

TEST(QuantizeRow, GroupsThatAreNotFiniteHaveNanScaleAndLeaveOthersAlone) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    for (const float bad : {NAN, -NAN, kInfinity, -kInfinity}) {
      for (const size_t place : {32u, 47u, 63u}) {
        testing::Random random(7);
        std::vector<float> x = random.normals(96);
        const Quantized clean = quantize(*table, x);
        x[place] = bad;
        const Quantized got = quantize(*table, x);
        EXPECT_TRUE(std::isnan(got.scale[1]));
        for (size_t i = 0; i < 96; ++i) EXPECT_EQ(got.q[i], i / kGroup == 1 ? 0 : clean.q[i]);
        for (size_t i = 0; i < 6; ++i) EXPECT_EQ(got.sum16[i], i / 2 == 1 ? 0 : clean.sum16[i]);
        EXPECT_EQ(got.scale[0], clean.scale[0]);
        EXPECT_EQ(got.scale[2], clean.scale[2]);
      }
    }
    const std::vector<float> largest(kGroup, std::numeric_limits<float>::max());
    EXPECT_EQ(quantize(*table, largest).q, std::vector<int8_t>(kGroup, 127));
  }
}

TEST(RmsNormRow, FollowsTheDefinition) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const int64_t cols : {1, 7, 8, 16, 33, 64, 72, 128, 136, 1000, 1024}) {
      for (const float deviation : {1.0f, 1e-4f, 3000.0f}) {
        SCOPED_TRACE(::testing::Message() << table->name << " " << cols << " " << deviation);
        testing::Random random(static_cast<uint32_t>(cols));
        std::vector<float> x = random.normals(cols, deviation);
        const std::vector<float> weight = random.normals(cols);
        double squares = 0.0;
        for (const float value : x) squares += static_cast<double>(value) * value;
        std::vector<double> wanted;
        std::vector<double> allowed;
        for (size_t i = 0; i < x.size(); ++i) {
          wanted.push_back(x[i] / std::sqrt(squares / static_cast<double>(cols) + 1e-6) * weight[i]);
          allowed.push_back(1e-6 * std::abs(wanted.back()));
        }
        std::vector<float> out(x.size());
        table->rms_norm_row(x.data(), weight.data(), cols, 1e-6f, out.data());
        EXPECT_TRUE(testing::close_floats(out, wanted, allowed));
        table->rms_norm_row(x.data(), weight.data(), cols, 1e-6f, x.data());  // in place
        EXPECT_TRUE(testing::same_floats(x, out));
      }
    }
  }
}

TEST(RmsNormRow, ZerosStayZeroAndANanShows) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    std::vector<float> x(20, 0.0f);
    const std::vector<float> weight(20, 2.0f);
    std::vector<float> out(20, -1.0f);
    table->rms_norm_row(x.data(), weight.data(), 20, 1e-6f, out.data());
    EXPECT_EQ(out, x);
    x[19] = NAN;
    table->rms_norm_row(x.data(), weight.data(), 20, 1e-6f, out.data());
    for (const float value : out) EXPECT_TRUE(std::isnan(value));
  }
}

TEST(SiluMul, FollowsTheDefinition) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const int64_t count : {1, 7, 8, 16, 33, 72, 1000}) {
      for (const float deviation : {1.0f, 20.0f, 1e-6f}) {
        SCOPED_TRACE(::testing::Message() << table->name << " " << count << " " << deviation);
        testing::Random random(static_cast<uint32_t>(count));
        std::vector<float> gate = random.normals(count, deviation);
        const std::vector<float> up = random.normals(count);
        std::vector<double> wanted;
        std::vector<double> allowed;
        for (size_t i = 0; i < gate.size(); ++i) {
          const double g = gate[i];
          wanted.push_back(g / (1.0 + std::exp(-g)) * up[i]);
          allowed.push_back(1e-6 * std::abs(wanted.back()) + 1e-36);
        }
        std::vector<float> out(gate.size());
        table->silu_mul(gate.data(), up.data(), count, out.data());
        EXPECT_TRUE(testing::close_floats(out, wanted, allowed));
        table->silu_mul(gate.data(), up.data(), count, gate.data());  // in place
        EXPECT_TRUE(testing::same_floats(gate, out));
      }
    }
  }
}

// Over the whole range of the exponential, ends included: never more than a few roundings off.
TEST(SiluMul, AccurateFromOneEndToTheOther) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    const float one = 1.0f;
    for (float gate = -86.0f; gate < 100.0f; gate += 0.0137f) {
      float out;
      table->silu_mul(&gate, &one, 1, &out);
      const double wanted = gate / (1.0 + std::exp(-static_cast<double>(gate)));
      ASSERT_NEAR(out, wanted, 5e-7 * std::abs(wanted)) << gate;
    }
  }
}

TEST(SiluMul, Extremes) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    const std::vector<float> gate = {kInfinity, 3e38f, -3e38f, -100.0f, 0.0f, -0.0f, NAN, 1.0f, 1.0f};
    const std::vector<float> up = {1.0f, 1.0f, 1.0f, 1.0f, 5.0f, 5.0f, 1.0f, NAN, kInfinity};
    std::vector<float> out(gate.size());
    table->silu_mul(gate.data(), up.data(), static_cast<int64_t>(gate.size()), out.data());
    EXPECT_EQ(out[0], kInfinity);
    EXPECT_EQ(out[1], 3e38f);
    EXPECT_EQ(out[2], 0.0f);
    EXPECT_NEAR(out[3], 0.0, 1e-36);
    EXPECT_EQ(out[4], 0.0f);
    EXPECT_EQ(out[5], 0.0f);
    EXPECT_TRUE(std::isnan(out[6]));
    EXPECT_TRUE(std::isnan(out[7]));
    EXPECT_EQ(out[8], kInfinity);
  }
}

}  // namespace
}  // namespace ink
