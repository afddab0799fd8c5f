// The searching quantizers, each against its decoder: never worse than rounding to nearest, errors below what
// the format's bits promise, exact where the values can be held exactly, weights that steer the error, and
// some valid block for anything.
#include "tensor/quants_fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "tensor/quants.h"

namespace ink {
namespace {

constexpr Dtype kTypes[] = {Dtype::kQ4_0, Dtype::kQ4_1, Dtype::kQ5_0, Dtype::kQ5_1,   Dtype::kQ8_0,
                            Dtype::kQ4_K, Dtype::kQ5_K, Dtype::kQ6_K, Dtype::kIQ4_NL, Dtype::kIQ4_XS};
constexpr int64_t kCount = 256 * 24;

std::vector<float> made_of(const std::function<float(size_t)>& value) {
  std::vector<float> values(kCount);
  for (size_t i = 0; i < values.size(); ++i) values[i] = value(i);
  return values;
}

std::vector<float> gaussian(float sigma, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, sigma);
  return made_of([&](size_t) { return normal(random); });
}

// A few weights far outside, as in channels with outliers.
std::vector<float> with_outliers() {
  std::vector<float> values = gaussian(0.02f, 2);
  for (size_t i = 5; i < values.size(); i += 97) values[i] *= 40.0f;
  return values;
}

std::vector<float> heavy_tails() {
  std::vector<float> values = gaussian(1.0f, 3);
  for (float& value : values) value = 0.02f * value * value * value;
  return values;
}

std::vector<float> decoded(Dtype dtype, std::span<const std::byte> row) {
  std::vector<float> values(kCount);
  dequantize_row(dtype, row.data(), kCount, values.data());
  return values;
}

std::vector<std::byte> row_for(Dtype dtype) {
  return std::vector<std::byte>(*size_bytes_of(dtype, static_cast<uint64_t>(kCount)));
}

std::vector<float> fitted(Dtype dtype, const std::vector<float>& values, const float* importance = nullptr) {
  auto row = row_for(dtype);
  fit_row(dtype, values.data(), importance, kCount, row.data());
  return decoded(dtype, row);
}

// Relative root mean square, weighted where weights are given.
double error_of(const std::vector<float>& exact, const std::vector<float>& stored,
                const std::vector<float>& weights = {}) {
  double errors = 0, squares = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    const double weight = weights.empty() ? 1.0 : static_cast<double>(weights[i]);
    const double difference = static_cast<double>(exact[i]) - static_cast<double>(stored[i]);
    errors += weight * difference * difference;
    squares += weight * static_cast<double>(exact[i]) * static_cast<double>(exact[i]);
  }
  return std::sqrt(errors / squares);
}

const char* name_of(Dtype dtype) { return dtype_info(dtype).name.data(); }

TEST(QuantsFit, KnowsItsTypes) {
  for (uint32_t id = 0; id < 64; ++id) {
    const DtypeInfo* info = find_dtype(id);
    if (info == nullptr) continue;
    const bool listed = std::find(std::begin(kTypes), std::end(kTypes), info->dtype) != std::end(kTypes);
    EXPECT_EQ(fittable(info->dtype), listed) << info->name;
  }
}

TEST(QuantsFit, GaussianWeightsStayBelowTheBound) {
  const std::vector<std::pair<Dtype, double>> bounds = {
      {Dtype::kQ4_0, 0.085},   {Dtype::kQ4_1, 0.071},  {Dtype::kQ5_0, 0.042}, {Dtype::kQ5_1, 0.035},
      {Dtype::kQ8_0, 0.0053},  {Dtype::kQ4_K, 0.072},  {Dtype::kQ5_K, 0.036}, {Dtype::kQ6_K, 0.018},
      {Dtype::kIQ4_NL, 0.076}, {Dtype::kIQ4_XS, 0.077}};
  for (const auto& [dtype, bound] : bounds) {
    for (const float sigma : {1e-3f, 0.02f, 50.0f})
      EXPECT_LT(error_of(gaussian(sigma), fitted(dtype, gaussian(sigma))), bound) << name_of(dtype) << sigma;
  }
}

TEST(QuantsFit, NeverWorseThanRoundingToNearest) {
  for (const Dtype dtype : kTypes) {
    if (!quantizable(dtype)) continue;
    for (const auto& values : {gaussian(0.02f), heavy_tails(), with_outliers()}) {
      auto row = row_for(dtype);
      ASSERT_TRUE(quantize_row(dtype, values.data(), kCount, row.data()));
      EXPECT_LE(error_of(values, fitted(dtype, values)), error_of(values, decoded(dtype, row)))
          << name_of(dtype);
    }
  }
}

TEST(QuantsFit, TwoLevelsOfScalesBeatOne) {
  // The K formats spend bits on scales; on uneven groups that has to pay.
  for (const auto& values : {heavy_tails(), with_outliers()}) {
    EXPECT_LT(error_of(values, fitted(Dtype::kQ4_K, values)), error_of(values, fitted(Dtype::kQ4_0, values)));
    EXPECT_LT(error_of(values, fitted(Dtype::kQ5_K, values)), error_of(values, fitted(Dtype::kQ4_K, values)));
    EXPECT_LT(error_of(values, fitted(Dtype::kQ6_K, values)), error_of(values, fitted(Dtype::kQ5_K, values)));
  }
}

TEST(QuantsFit, ZerosStayZero) {
  for (const Dtype dtype : kTypes)
    EXPECT_EQ(fitted(dtype, std::vector<float>(kCount)), std::vector<float>(kCount)) << name_of(dtype);
}

TEST(QuantsFit, ConstantsAreKept) {
  for (const Dtype dtype : kTypes) {
    for (const float constant : {0.5f, -0.5f, 3.0f, -0.02f, 1000.0f}) {
      const std::vector<float> values(kCount, constant);
      EXPECT_LT(error_of(values, fitted(dtype, values)), 2e-3) << name_of(dtype) << " " << constant;
    }
  }
}

TEST(QuantsFit, WhatTheFormatHoldsExactlyStaysExact) {
  // Levels times a power of two, all of them in every group.
  const auto whole =
      made_of([](size_t i) { return 0.25f * static_cast<float>(static_cast<int>(i % 16) - 8); });
  EXPECT_EQ(fitted(Dtype::kQ4_0, whole), whole);
  const auto raised = made_of([](size_t i) { return 0.25f * static_cast<float>(i % 16) - 2.0f; });
  EXPECT_EQ(fitted(Dtype::kQ4_1, raised), raised);
  const auto bytes = made_of(
      [](size_t i) { return 0.5f * static_cast<float>(i % 32 == 0 ? 127 : static_cast<int>(i % 32) - 16); });
  EXPECT_EQ(fitted(Dtype::kQ8_0, bytes), bytes);
}

TEST(QuantsFit, OneWeightAlone) {
  for (const Dtype dtype : kTypes) {
    auto values = std::vector<float>(kCount);
    for (size_t i = 7; i < values.size(); i += 256) values[i] = i % 512 == 7 ? 0.75f : -0.75f;
    // The uneven levels have no 0: the other weights come out as the smallest level, 1 of 127.
    EXPECT_LT(error_of(values, fitted(dtype, values)), 0.045) << name_of(dtype);
  }
}

TEST(QuantsFit, ImportanceMovesTheError) {
  // One column in eight matters a hundred times as much.
  const auto importance = made_of([](size_t i) { return i % 8 == 3 ? 100.0f : 1.0f; });
  for (const Dtype dtype : kTypes) {
    for (const auto& values : {gaussian(0.02f), heavy_tails()}) {
      const double blind = error_of(values, fitted(dtype, values), importance);
      const double seeing = error_of(values, fitted(dtype, values, importance.data()), importance);
      EXPECT_LT(seeing, 0.97 * blind) << name_of(dtype);
    }
  }
}

TEST(QuantsFit, ImportanceNeedsNoScale) {
  const auto values = gaussian(0.02f);
  const auto importance = made_of([](size_t i) { return 1.0f + static_cast<float>(i % 5); });
  auto larger = importance;
  for (float& weight : larger) weight *= 1024.0f;
  for (const Dtype dtype : kTypes) {
    EXPECT_EQ(fitted(dtype, values, importance.data()), fitted(dtype, values, larger.data()))
        << name_of(dtype);
    // A block that was never active is one where every weight counts the same.
    const std::vector<float> nothing(kCount, 0.0f), same(kCount, 1.0f);
    EXPECT_EQ(fitted(dtype, values, nothing.data()), fitted(dtype, values, same.data())) << name_of(dtype);
  }
}

TEST(QuantsFit, AnyValuesGiveAValidBlock) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const Dtype dtype : kTypes) {
    for (const float strange :
         {std::nanf(""), kInfinity, -kInfinity, 3.4e38f, -3.4e38f, 1e-45f, 1e-39f, 1e9f}) {
      auto values = gaussian(0.02f);
      for (size_t i = 0; i < values.size(); i += 31) values[i] = strange;
      fitted(dtype, values);
      fitted(dtype, std::vector<float>(kCount, strange));
    }
    // Too large for an f16 scale: as near as it gets, and finite.
    for (const float value : fitted(dtype, gaussian(1e12f)))
      ASSERT_TRUE(std::isfinite(value)) << name_of(dtype);
  }
}

TEST(QuantsFit, EmptyRows) {
  for (const Dtype dtype : kTypes) fit_row(dtype, nullptr, nullptr, 0, nullptr);
}

}  // namespace
}  // namespace ink
