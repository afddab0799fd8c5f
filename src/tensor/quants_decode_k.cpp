// Decoders of the K formats: 256 weights whose groups have small integer scales (and minima) under one f16
// scale d (and one f16 dmin). In all of them g counts groups of 32 weights, and the low bits of several
// groups share bytes: 32 consecutive bytes hold 64 or 128 weights, the lowest bits the first 32 of them, and
// so on upwards.
#include "tensor/quants_blocks.h"

namespace ink::blocks {
namespace {

// The 2-bit numbers of group g in 64 bytes: byte i of the right 32, shifted right by 2 * (g % 4).
struct TwoBits {
  const uint8_t* bytes;
  int shift;
  TwoBits(const uint8_t* numbers, int g) : bytes(numbers + 32 * (g / 4)), shift(2 * (g % 4)) {}
  int operator[](int i) const { return bytes[i] >> shift & 3; }
};

// The nibbles of group g in 128 bytes.
struct FourBits {
  const uint8_t* bytes;
  int shift;
  FourBits(const uint8_t* numbers, int g) : bytes(numbers + 32 * (g / 2)), shift(4 * (g % 2)) {}
  int operator[](int i) const { return bytes[i] >> shift & 15; }
};

// The 6-bit scale and minimum of group g from the 12 bytes of Q4_K and Q5_K: the first four groups have
// theirs in the low six bits of bytes g and 4 + g; of the others bytes 8 to 11 hold four low bits of both,
// and their two high bits sit on top of bytes 0 to 7.
struct ScaleAndMinimum {
  int scale, minimum;
};
ScaleAndMinimum scale_and_minimum(const uint8_t* packed, int g) {
  if (g < 4) return {packed[g] & 63, packed[4 + g] & 63};
  const uint8_t low = packed[4 + g];
  return {(low & 15) | packed[g - 4] >> 6 << 4, low >> 4 | packed[g] >> 6 << 4};
}

// The 6-bit scale of 16 weights, -32..31, from the 12 bytes of Q3_K: low nibbles in bytes 0 to 7 (scales 0..7
// the low halves), two high bits in bytes 8 to 11 (scales 0..3 the lowest, and so on).
int scale_of_q3(const uint8_t* packed, int sixteen) {
  const int low = packed[sixteen % 8] >> (4 * (sixteen / 8)) & 15;
  const int high = packed[8 + sixteen % 4] >> (2 * (sixteen / 4)) & 3;
  return (low | high << 4) - 32;
}

}  // namespace

// 16 bytes: scale (low nibble) and minimum (high) of 16 weights each; 64 bytes of 2-bit numbers; d; dmin.
void decode_q2_k(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block + 80);
  const float dmin = load_f16(block + 82);
  for (int g = 0; g < 8; ++g) {
    for (int half = 0; half < 2; ++half) {
      const uint8_t packed = block[2 * g + half];
      groups[g].scale[half] = d * static_cast<float>(packed & 15);
      groups[g].offset[half] = -(dmin * static_cast<float>(packed >> 4));
    }
    const TwoBits number(block + 16, g);
    for (int i = 0; i < 32; ++i) groups[g].q[i] = to_q(number[i]);
  }
}

// 32 bytes with one bit per weight (bit g of byte i; clear means 4 less); 64 bytes of 2-bit numbers; 12 bytes
// of scales; d.
void decode_q3_k(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block + 108);
  for (int g = 0; g < 8; ++g) {
    for (int half = 0; half < 2; ++half) {
      groups[g].scale[half] = d * static_cast<float>(scale_of_q3(block + 96, 2 * g + half));
      groups[g].offset[half] = 0.0f;
    }
    const TwoBits number(block + 32, g);
    for (int i = 0; i < 32; ++i) groups[g].q[i] = to_q((number[i] | (block[i] >> g & 1) << 2) - 4);
  }
}

void super_scales_of_q4_k(const uint8_t* block, SuperScales& scales) {
  scales = {load_u16(block), load_u16(block + 2), {}, {}};
  for (int g = 0; g < 8; ++g) {
    const auto [scale, minimum] = scale_and_minimum(block + 4, g);
    scales.scale[g] = static_cast<uint8_t>(scale);
    scales.minimum[g] = static_cast<uint8_t>(minimum);
  }
}

void super_scales_of_q6_k(const uint8_t* block, SuperScales& scales) {
  scales = {load_u16(block + 208), 0, {}, {}};
  std::copy_n(block + 192, 16, scales.scale);
}

// d; dmin; 12 bytes of scales and minima; 128 bytes of nibbles.
void decode_q4_k(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block);
  const float dmin = load_f16(block + 2);
  for (int g = 0; g < 8; ++g) {
    const auto [scale, minimum] = scale_and_minimum(block + 4, g);
    set_scale(groups[g], d * static_cast<float>(scale), -(dmin * static_cast<float>(minimum)));
    const FourBits number(block + 16, g);
    for (int i = 0; i < 32; ++i) groups[g].q[i] = to_q(number[i]);
  }
}

// As Q4_K, with 32 bytes of fifth bits (bit g of byte i) before the nibbles.
void decode_q5_k(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block);
  const float dmin = load_f16(block + 2);
  for (int g = 0; g < 8; ++g) {
    const auto [scale, minimum] = scale_and_minimum(block + 4, g);
    set_scale(groups[g], d * static_cast<float>(scale), -(dmin * static_cast<float>(minimum)));
    const uint8_t* fifth = block + 16;
    const FourBits number(block + 48, g);
    for (int i = 0; i < 32; ++i) groups[g].q[i] = to_q(number[i] | (fifth[i] >> g & 1) << 4);
  }
}

// 128 bytes of nibbles, 64 bytes of two more bits, 16 signed scales for 16 weights each, d; weight = d *
// scale * (number - 32). Unlike Q4_K, 64 bytes of nibbles hold 128 weights: all low halves come before the
// high ones.
void decode_q6_k(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block + 208);
  for (int g = 0; g < 8; ++g) {
    for (int half = 0; half < 2; ++half) {
      const int8_t scale = static_cast<int8_t>(block[192 + 2 * g + half]);
      groups[g].scale[half] = d * static_cast<float>(scale);
      groups[g].offset[half] = 0.0f;
    }
    const uint8_t* nibbles = block + 64 * (g / 4) + 32 * (g % 2);
    const int shift = 4 * (g / 2 % 2);
    const TwoBits high(block + 128, g);
    for (int i = 0; i < 32; ++i) groups[g].q[i] = to_q((nibbles[i] >> shift & 15) + (high[i] << 4) - 32);
  }
}

}  // namespace ink::blocks
