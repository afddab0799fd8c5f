// Half floats, exhaustively: every f16 against its definition, every rounding boundary against its
// neighbours.
#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ink {
namespace {

// sign * mantissa * 2^exponent, straight from IEEE 754.
float f16_by_definition(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1f;
  const int mantissa = bits & 0x3ff;
  const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return mantissa == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
}

TEST(Half, EveryF16HasItsValueAndComesBack) {
  for (uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const float value = f16_to_f32(bits);
    const float wanted = f16_by_definition(bits);
    if (std::isnan(wanted)) {
      ASSERT_TRUE(std::isnan(value)) << i;
      ASSERT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value)))) << i;
      continue;
    }
    ASSERT_EQ(std::bit_cast<uint32_t>(value), std::bit_cast<uint32_t>(wanted)) << i;  // -0 too
    ASSERT_EQ(f32_to_f16(value), bits) << i;
  }
}

TEST(Half, F16RoundsToNearestAndTiesToEven) {
  for (uint16_t bits = 0; bits <= 0x7bff; ++bits) {
    const float low = f16_to_f32(bits);
    const float high = bits == 0x7bff ? 65536.0f : f16_to_f32(static_cast<uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2;      // exact in f32
    const auto up = static_cast<uint16_t>(bits + 1);  // after the last finite one comes infinity
    const uint16_t even = (bits & 1) != 0 ? up : bits;
    ASSERT_EQ(f32_to_f16(middle), even) << bits;
    ASSERT_EQ(f32_to_f16(-middle), even | 0x8000) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafterf(middle, 0.0f)), bits) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafterf(middle, INFINITY)), up) << bits;
  }
  EXPECT_EQ(f32_to_f16(3.4e38f), 0x7c00);
  EXPECT_EQ(f32_to_f16(INFINITY), 0x7c00);
  EXPECT_EQ(f32_to_f16(1e-45f), 0);
}

TEST(Half, EveryBf16ComesBackAndRoundsToEven) {
  for (uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const float value = bf16_to_f32(bits);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(value)))) << i;
      continue;
    }
    ASSERT_EQ(f32_to_bf16(value), bits);
    if ((bits & 0x7fff) == 0x7f80) continue;  // infinity has no next one
    const auto up = static_cast<uint16_t>(bits + 1);
    const uint32_t middle = (i << 16) | 0x8000u;
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(middle)), (bits & 1) != 0 ? up : bits) << i;
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(middle - 1)), bits) << i;
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(middle + 1)), up) << i;
  }
  // A NaN whose payload is only in the lower half must not become infinity.
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7f800001u)))));
}

}  // namespace
}  // namespace ink
