// Codes of every width against bits counted one by one; the three ways to read agree; FP8 against its
// definition.
#include "tensor/packed_codes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "base/half.h"
#include "tensor/scaled_rows.h"

namespace ink {
namespace {

TEST(PackedCodes, EveryWidthIsOneStreamOfBits) {
  std::mt19937 random(7);
  for (int bits = 2; bits <= 8; ++bits) {
    constexpr int64_t kCount = 33;  // ends inside a word
    const int64_t words = (kCount * bits + 31) / 32;
    for (const bool lines_are_columns : {false, true}) {
      std::vector<uint32_t> data(static_cast<size_t>(3 * words));
      for (uint32_t& word : data) word = static_cast<uint32_t>(random());
      PackedCodes codes{reinterpret_cast<const std::byte*>(data.data()), bits, words, 1};
      if (lines_are_columns) {
        codes.line_stride = 1;
        codes.word_stride = 3;
      }
      std::vector<uint8_t> line(kCount);
      for (int64_t l = 0; l < 3; ++l) {
        codes.read_line(l, kCount, line.data());
        for (int64_t i = 0; i < kCount; ++i) {
          uint32_t wanted = 0;
          for (int64_t bit = 0; bit < bits; ++bit) {
            const int64_t at = i * bits + bit;
            const uint32_t word =
                data[static_cast<size_t>(l * codes.line_stride + at / 32 * codes.word_stride)];
            wanted |= (word >> (at % 32) & 1u) << bit;
          }
          EXPECT_EQ(codes.get(l, i), wanted) << bits << " bits, value " << i;
          EXPECT_EQ(line[static_cast<size_t>(i)], wanted) << bits << " bits, value " << i;
        }
      }
    }
  }
}

TEST(PackedCodes, AddingToWordsUndoesTheBorrowOfTheWriter) {
  // Zero points 0 and 8 in the two lowest nibbles, stored less one in every nibble: the first borrows.
  const uint32_t stored = 0x88888880u - 0x11111111u;
  PackedCodes codes{reinterpret_cast<const std::byte*>(&stored), 4, 1, 1};
  codes.added = 0x11111111u;
  EXPECT_EQ(codes.get(0, 0), 0u);
  for (int64_t i = 1; i < 8; ++i) EXPECT_EQ(codes.get(0, i), 8u);
}

TEST(PackedCodes, OneOtherValueIsNoticedInWholeWordsAndInParts) {
  for (const int bits : {3, 4, 8}) {
    for (const int64_t count : {8, 9}) {
      std::vector<uint32_t> data(6);
      PackedCodes codes{reinterpret_cast<const std::byte*>(data.data()), bits, 3, 1};
      EXPECT_TRUE(codes.all_are(0, 2, count));
      EXPECT_FALSE(codes.all_are(1, 2, count));
      const int64_t bit = (count - 1) * bits;  // the last value of the second line
      data[static_cast<size_t>(3 + bit / 32)] |= 1u << (bit % 32);
      EXPECT_TRUE(codes.all_are(0, 1, count));
      EXPECT_FALSE(codes.all_are(0, 2, count));
    }
  }
}

TEST(PackedCodes, InterleavedNibbles) {
  const uint32_t words[2] = {0x76543210u, 0xfedcba98u};  // nibble i of a word is i, i + 8
  PackedCodes codes{reinterpret_cast<const std::byte*>(words), 4, 1, 1};
  codes.interleaved = true;
  constexpr uint32_t kWanted[8] = {0, 4, 1, 5, 2, 6, 3, 7};
  std::vector<uint8_t> across(2);
  for (int64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(codes.get(0, i), kWanted[i]);
    codes.read_across(i, 2, across.data());
    EXPECT_EQ(across[0], kWanted[i]);
    EXPECT_EQ(across[1], kWanted[i] + 8);
  }
}

TEST(Float8, EveryPatternIsItsDefinition) {
  for (int bits = 0; bits < 256; ++bits) {
    const int exponent = bits >> 3 & 15;
    const int mantissa = bits & 7;
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
    const float value = e4m3_to_f32(static_cast<uint8_t>(bits));
    if ((bits & 0x7f) == 0x7f) {
      EXPECT_TRUE(std::isnan(value));
    } else {
      EXPECT_EQ(static_cast<double>(value), bits >= 128 ? -magnitude : magnitude) << bits;
    }
  }
}

// The numbers in scaled_rows.h: normally distributed weights, scales from the largest of 128 x 128.
TEST(ScaledRows, RoundingFloat8ToBytesAddsLittle) {
  constexpr int64_t kSize = 128;
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  std::vector<float> weights(kSize * kSize);
  float largest = 0;
  for (float& weight : weights) largest = std::max(largest, std::abs(weight = normal(random)));
  const float scale = largest / 448;
  std::vector<uint8_t> codes(weights.size());
  double squares = 0;
  double first_errors = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    double best = 1e9;
    for (int bits = 0; bits < 256; ++bits) {
      const double error =
          std::abs(static_cast<double>(e4m3_to_f32(static_cast<uint8_t>(bits)) * scale - weights[i]));
      if (error < best) {
        best = error;
        codes[i] = static_cast<uint8_t>(bits);
      }
    }
    squares += static_cast<double>(weights[i]) * static_cast<double>(weights[i]);
    first_errors += best * best;
  }
  ScaledLayout layout{kSize, kSize, Dtype::kF8_E4M3, reinterpret_cast<const std::byte*>(codes.data()), kSize,
                      kSize, {}};
  layout.scales = {Dtype::kF32, reinterpret_cast<const std::byte*>(&scale), 1, 1};
  const ScaledRows rows(layout);
  EXPECT_EQ(rows.kind(), RowKind::kBytes);
  std::vector<float> values(kSize);
  std::vector<Group32> groups(kSize / 32);
  double second_errors = 0;
  for (int64_t row = 0; row < kSize; ++row) {
    rows.read_floats(row, values.data());
    rows.read_groups(row, groups.data());
    for (size_t i = 0; i < values.size(); ++i) {
      const float rounded = groups[i / 32].scale[0] * static_cast<float>(groups[i / 32].q[i % 32]);
      second_errors += std::pow(static_cast<double>(rounded - values[i]), 2);
    }
  }
  std::printf("FP8: %.4f, bytes besides: %.4f\n", std::sqrt(first_errors / squares),
              std::sqrt(second_errors / squares));
  EXPECT_NEAR(std::sqrt(first_errors / squares), 0.026, 0.002);
  EXPECT_NEAR(std::sqrt(second_errors / squares), 0.005, 0.001);
}

TEST(RoundToBytes, KeepsWhatIsNotFiniteVisibleAndTinyGroupsZero) {
  std::vector<float> values(96, 1e-38f);
  values[40] = -std::numeric_limits<float>::infinity();
  for (size_t i = 64; i < 96; ++i) values[i] = static_cast<float>(static_cast<int>(i) - 80);
  std::vector<Group32> groups(3);
  round_to_bytes(values.data(), 96, groups.data());
  EXPECT_EQ(groups[0].scale[0], 0.0f);
  EXPECT_FALSE(std::isfinite(groups[1].scale[1]));
  EXPECT_EQ(groups[2].q[0], -127);
  EXPECT_EQ(groups[2].scale[0], 16.0f / 127.0f);
}

}  // namespace
}  // namespace ink
