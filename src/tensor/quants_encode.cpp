// Quantizers, byte for byte those of the reference (gguf/quants.py, which follows ggml): the same float
// operations in the same order. The formats without one here (K, NVFP4, IQ) search for good scales; that is a
// tool's work. Every conversion to an integer is bounded first, so that infinities and NaN, and the infinite
// reciprocal of a subnormal scale, give some valid block and never undefined behaviour. MXFP4 of values below
// 2^-125 differs from the reference on purpose: there the exponent wraps around in a byte, here it stays 0.
#include <cmath>

#include "tensor/quants_blocks.h"

namespace ink::blocks {
namespace {

float reciprocal(float value) { return value == 0.0f ? 0.0f : 1.0f / value; }

float largest_magnitude(const float* values, int count) {
  float largest = 0.0f;
  for (int i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  return largest;
}

// The whole part of a value, kept in 0..top; 0 for what is not finite, as x86 converts it and hence the
// reference.
uint8_t whole_part(float value, int top) {
  if (!(value > 0.0f) || std::isinf(value)) return 0;
  return value >= static_cast<float>(top) ? static_cast<uint8_t>(top) : static_cast<uint8_t>(value);
}

struct Codes {
  float scale;
  float minimum;  // of the blocks with an offset
  uint8_t q[32];
};

// Q4_0, Q5_0: codes around `zero`. The value farthest from 0 (the first of equals) becomes code 0 whatever
// its sign, so the scale may be negative.
Codes around_zero(const float* values, int zero) {
  float farthest = values[0];
  for (int i = 1; i < 32; ++i) {
    if (std::abs(values[i]) > std::abs(farthest)) farthest = values[i];
  }
  Codes codes{farthest / static_cast<float>(-zero), 0.0f, {}};
  const float inverse = reciprocal(codes.scale);
  const float rounding = static_cast<float>(zero) + 0.5f;
  for (int i = 0; i < 32; ++i) codes.q[i] = whole_part(values[i] * inverse + rounding, 2 * zero - 1);
  return codes;
}

// Q4_1, Q5_1: codes from the smallest value (0) to the largest (top). Of equal values the last counts, which
// is seen where zeros of both signs are the extremes.
Codes from_minimum(const float* values, int top) {
  float low = values[0], high = values[0];
  for (int i = 1; i < 32; ++i) {
    if (values[i] <= low) low = values[i];
    if (values[i] >= high) high = values[i];
  }
  Codes codes{(high - low) / static_cast<float>(top), low, {}};
  const float inverse = reciprocal(codes.scale);
  for (int i = 0; i < 32; ++i) codes.q[i] = whole_part((values[i] - low) * inverse + 0.5f, top);
  return codes;
}

// 0, 1, 2 for -1, 0, 1 times the largest magnitude, halves rounded away from 0; 1 for what is not finite.
void ternary_codes(const float* values, float largest, uint8_t* codes) {
  const float inverse = reciprocal(largest);
  for (int i = 0; i < 256; ++i) {
    const float scaled = values[i] * inverse;
    const uint8_t sign = scaled < 0.0f ? 0 : 2;
    codes[i] = std::abs(scaled) >= 0.5f && !std::isinf(scaled) ? sign : uint8_t{1};
  }
}

// The shared exponent of MXFP4: floor(log2(largest)) - 2, biased. The reference takes log2 in f32, where a
// value just below a power of two rounds up to it; so does this, by way of double, the same on every machine.
uint8_t shared_exponent(float largest) {
  if (!(largest > 0.0f)) return 0;
  const float log = static_cast<float>(std::log2(static_cast<double>(largest)));
  return whole_part(std::floor(log) - 2.0f + 127.0f, 254);
}

// The first of the 4-bit floats that is nearest to the value.
uint8_t nearest_float4(float value, float scale) {
  uint8_t best = 0;
  float smallest_error = std::abs(value);
  for (uint8_t code = 1; code < 16; ++code) {
    const float error = std::abs(scale * static_cast<float>(kFloat4[code]) - value);
    if (error < smallest_error) {
      smallest_error = error;
      best = code;
    }
  }
  return best;
}

}  // namespace

void encode_q4_0(const float* __restrict values, uint8_t* __restrict block) {
  const Codes codes = around_zero(values, 8);
  store_half(block, codes.scale);
  store_nibbles(codes.q, block + 2);
}

void encode_q4_1(const float* __restrict values, uint8_t* __restrict block) {
  const Codes codes = from_minimum(values, 15);
  store_half(block, codes.scale);
  store_half(block + 2, codes.minimum);
  store_nibbles(codes.q, block + 4);
}

void encode_q5_0(const float* __restrict values, uint8_t* __restrict block) {
  const Codes codes = around_zero(values, 16);
  store_half(block, codes.scale);
  store_fifth_bits(codes.q, block + 2);
  store_nibbles(codes.q, block + 6);
}

void encode_q5_1(const float* __restrict values, uint8_t* __restrict block) {
  const Codes codes = from_minimum(values, 31);
  store_half(block, codes.scale);
  store_half(block + 2, codes.minimum);
  store_fifth_bits(codes.q, block + 4);
  store_nibbles(codes.q, block + 8);
}

void encode_q8_0(const float* __restrict values, uint8_t* __restrict block) {
  const float scale = largest_magnitude(values, 32) / 127.0f;
  const float inverse = reciprocal(scale);
  store_half(block, scale);
  for (int i = 0; i < 32; ++i) {
    const float rounded = std::round(values[i] * inverse);  // halves away from 0
    const uint8_t magnitude = whole_part(std::abs(rounded), 127);
    block[2 + i] = static_cast<uint8_t>(rounded < 0.0f ? -magnitude : magnitude);
  }
}

// See decode_tq1_0 for the layout.
void encode_tq1_0(const float* __restrict values, uint8_t* __restrict block) {
  const float largest = largest_magnitude(values, 256);
  uint8_t codes[256];
  ternary_codes(values, largest, codes);
  const auto pack = [block](const uint8_t* digits, int count, int digit_count, int place) {
    for (int i = 0; i < count; ++i) {
      int number = 0;
      for (int digit = 0; digit < 5; ++digit) {
        number = 3 * number + (digit < digit_count ? digits[count * digit + i] : 0);
      }
      block[place + i] = static_cast<uint8_t>((number * 256 + 242) / 243);  // the fraction of 3^5, rounded up
    }
  };
  pack(codes, 32, 5, 0);
  pack(codes + 160, 16, 5, 32);
  pack(codes + 240, 4, 4, 48);
  store_half(block + 52, largest);
}

void encode_tq2_0(const float* __restrict values, uint8_t* __restrict block) {
  const float largest = largest_magnitude(values, 256);
  uint8_t codes[256];
  ternary_codes(values, largest, codes);
  for (int i = 0; i < 64; ++i) {
    const uint8_t* c = codes + 128 * (i / 32) + i % 32;
    block[i] = static_cast<uint8_t>(c[0] | c[32] << 2 | c[64] << 4 | c[96] << 6);
  }
  store_half(block + 64, largest);
}

void encode_mxfp4(const float* __restrict values, uint8_t* __restrict block) {
  block[0] = shared_exponent(largest_magnitude(values, 32));
  const float scale = half_of_power(block[0]);
  uint8_t codes[32];
  for (int i = 0; i < 32; ++i) codes[i] = nearest_float4(values[i], scale);
  store_nibbles(codes, block + 1);
}

}  // namespace ink::blocks
