// Activations to int8, 32 columns to a scale. The largest magnitude is found on the bits of the floats:
// without the sign they order like integers, and infinities and NaNs come out on top of every number.
#include <bit>
#include <limits>

#include "kernels/portable/portable.h"

namespace ink::portable {
namespace {

constexpr uint32_t kInfinityBits = 0x7f800000u;
// Adding 1.5 * 2^23 leaves the integer nearest to a small float (ties to even) in the low bits of the sum.
constexpr float kRounder = 12582912.0f;

// The group's scale; 0 when it holds nothing but zeros (or numbers so small that the scale would be
// subnormal), NaN when it holds an infinity or a NaN.
float group_scale(const float* x) {
  uint32_t largest = 0;
  for (int i = 0; i < kGroup; ++i) {
    const uint32_t magnitude = std::bit_cast<uint32_t>(x[i]) & 0x7fffffffu;
    largest = magnitude > largest ? magnitude : largest;
  }
  if (largest >= kInfinityBits) return std::numeric_limits<float>::quiet_NaN();
  const float scale = std::bit_cast<float>(largest) / 127.0f;
  return scale < std::numeric_limits<float>::min() ? 0.0f : scale;
}

}  // namespace

void quantize_row(const float* x, int64_t cols, int8_t* q, float* scale, int32_t* sum16) {
  for (int64_t g = 0; g < cols / kGroup; ++g) {
    scale[g] = group_scale(x + g * kGroup);
    const bool usable = scale[g] > 0.0f;  // neither 0 nor NaN
    for (int64_t i = g * kGroup; i < (g + 1) * kGroup; ++i) {
      const uint32_t rounded = std::bit_cast<uint32_t>(x[i] / scale[g] + kRounder);
      q[i] = usable ? static_cast<int8_t>(rounded - std::bit_cast<uint32_t>(kRounder)) : int8_t{0};
    }
    for (int64_t half = 0; half < 2; ++half) {
      int32_t sum = 0;
      for (int64_t i = 0; i < kGroup / 2; ++i) sum += q[g * kGroup + half * kGroup / 2 + i];
      sum16[2 * g + half] = sum;
    }
  }
}

}  // namespace ink::portable
