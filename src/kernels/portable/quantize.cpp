// Floats to integers with scales: activations, 32 columns to one, and rows of attention, which are rotated
// first. The largest magnitude is found on the bits of the floats: without the sign they order like integers,
// and infinities and NaNs come out on top of every number.
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/portable/portable.h"

namespace ink::portable {
namespace {

constexpr uint32_t kInfinityBits = 0x7f800000u;
// Adding 1.5 * 2^23 leaves the integer nearest to a small float (ties to even) in the low bits of the sum.
constexpr float kRounder = 12582912.0f;

// What makes the largest of x `limit`; 0 when all are zero (or so small that the scale would be subnormal),
// NaN when one is an infinity or a NaN.
float scale_for(const float* x, int64_t count, float limit) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t magnitude = std::bit_cast<uint32_t>(x[i]) & 0x7fffffffu;
    largest = magnitude > largest ? magnitude : largest;
  }
  if (largest >= kInfinityBits) return std::numeric_limits<float>::quiet_NaN();
  const float scale = std::bit_cast<float>(largest) / limit;
  return scale < std::numeric_limits<float>::min() ? 0.0f : scale;
}

// The integer nearest to x, which is small beside kRounder.
int32_t nearest(float x) {
  return static_cast<int32_t>(std::bit_cast<uint32_t>(x + kRounder) - std::bit_cast<uint32_t>(kRounder));
}

}  // namespace

void quantize_row(const float* x, int64_t cols, int8_t* q, float* scale, int32_t* sum16) {
  for (int64_t g = 0; g < cols / kGroup; ++g) {
    scale[g] = scale_for(x + g * kGroup, kGroup, 127.0f);
    const bool usable = scale[g] > 0.0f;  // neither 0 nor NaN
    for (int64_t i = g * kGroup; i < (g + 1) * kGroup; ++i) {
      const int32_t rounded = nearest(x[i] / scale[g]);
      q[i] = usable ? static_cast<int8_t>(rounded) : int8_t{0};
    }
    for (int64_t half = 0; half < 2; ++half) {
      int32_t sum = 0;
      for (int64_t i = 0; i < kGroup / 2; ++i) sum += q[g * kGroup + half * kGroup / 2 + i];
      sum16[2 * g + half] = sum;
    }
  }
}

void rotate_row(float* x, int64_t count) {
  for (int64_t step = 1; step < count; step *= 2) {
    for (int64_t block = 0; block < count; block += 2 * step) {
      for (int64_t i = block; i < block + step; ++i) {
        const float a = x[i];
        const float b = x[i + step];
        x[i] = a + b;
        x[i + step] = a - b;
      }
    }
  }
  const float factor = 1.0f / std::sqrt(static_cast<float>(count));
  for (int64_t i = 0; i < count; ++i) x[i] *= factor;
}

float round_row(const float* x, int64_t count, int limit, int16_t* q) {
  const float scale = scale_for(x, count, static_cast<float>(limit));
  const bool usable = scale > 0.0f;
  const float inverse = 1.0f / scale;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t rounded = nearest(x[i] * inverse);
    q[i] = usable ? static_cast<int16_t>(rounded) : int16_t{0};
  }
  return scale;
}

}  // namespace ink::portable
