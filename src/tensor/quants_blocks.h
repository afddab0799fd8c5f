// Inside the quantized formats: one decoder and perhaps one encoder per format, each for a single block, and
// what they share. Callers want tensor/quants.h. A decoder writes block_elements / 32 groups; blocks have no
// alignment and are little-endian whatever the machine. `__restrict` because int8 and uint8 may alias
// everything, which would keep the loops from being vectorized.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/half.h"
#include "tensor/quants.h"

namespace ink::blocks {

inline constexpr int kLargestBlock = 256;  // elements

using Decode = void (*)(const uint8_t* __restrict block, Group32* __restrict groups);
using Encode = void (*)(const float* __restrict values, uint8_t* __restrict block);

// quants_decode.cpp: blocks of 32 or 64, and the ternary ones
void decode_q4_0(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_q4_1(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_q5_0(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_q5_1(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_q8_0(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_tq1_0(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_tq2_0(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_mxfp4(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_nvfp4(const uint8_t* __restrict block, Group32* __restrict groups);
// quants_decode_k.cpp: 256 weights with two levels of scales
void decode_q2_k(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_q3_k(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_q4_k(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_q5_k(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_q6_k(const uint8_t* __restrict block, Group32* __restrict groups);
void super_scales_of_q4_k(const uint8_t* block, SuperScales& scales);
void super_scales_of_q6_k(const uint8_t* block, SuperScales& scales);
// quants_decode_iq.cpp: codes into a book of weights
void decode_iq1_s(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_iq1_m(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_iq2_xxs(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_iq2_xs(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_iq2_s(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_iq3_xxs(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_iq3_s(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_iq4_nl(const uint8_t* __restrict block, Group32* __restrict groups);
void decode_iq4_xs(const uint8_t* __restrict block, Group32* __restrict groups);
// quants_encode.cpp
void encode_q4_0(const float* __restrict values, uint8_t* __restrict block);
void encode_q4_1(const float* __restrict values, uint8_t* __restrict block);
void encode_q5_0(const float* __restrict values, uint8_t* __restrict block);
void encode_q5_1(const float* __restrict values, uint8_t* __restrict block);
void encode_q8_0(const float* __restrict values, uint8_t* __restrict block);
void encode_tq1_0(const float* __restrict values, uint8_t* __restrict block);
void encode_tq2_0(const float* __restrict values, uint8_t* __restrict block);
void encode_mxfp4(const float* __restrict values, uint8_t* __restrict block);

inline uint16_t load_u16(const uint8_t* p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }
inline uint32_t load_u32(const uint8_t* p) {
  return load_u16(p) | static_cast<uint32_t>(load_u16(p + 2)) << 16;
}
inline float load_f16(const uint8_t* p) { return f16_to_f32(load_u16(p)); }
inline void store_u16(uint8_t* p, uint16_t value) {
  p[0] = static_cast<uint8_t>(value);
  p[1] = static_cast<uint8_t>(value >> 8);
}

inline void store_half(uint8_t* place, float value) { store_u16(place, f32_to_f16(value)); }

// 32 codes in 16 bytes: the low halves are the first 16.
inline void store_nibbles(const uint8_t* codes, uint8_t* place) {
  for (int i = 0; i < 16; ++i) place[i] = static_cast<uint8_t>((codes[i] & 15) | codes[16 + i] << 4);
}

// The fifth bits of 32 codes in four bytes.
inline void store_fifth_bits(const uint8_t* codes, uint8_t* place) {
  std::fill_n(place, 4, uint8_t{0});
  for (int i = 0; i < 32; ++i) place[i / 8] = static_cast<uint8_t>(place[i / 8] | (codes[i] >> 4) << (i % 8));
}

constexpr int8_t to_q(int value) { return static_cast<int8_t>(value); }

// One scale and offset for all 32.
inline void set_scale(Group32& group, float scale, float offset = 0.0f) {
  std::fill_n(group.scale, 2, scale);
  std::fill_n(group.offset, 2, offset);
}

// The 4-bit floats of MXFP4 and NVFP4 (one sign, two exponent bits, one mantissa bit), doubled.
inline constexpr int8_t kFloat4[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// The levels of the 4-bit IQ formats, denser around zero.
inline constexpr int8_t kLevelsIq4[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};

// Half of 2^(exponent - 127), for the doubled values of kFloat4; subnormal at 0 and 1.
inline float half_of_power(uint8_t exponent) {
  return std::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent
                                           : static_cast<uint32_t>(exponent - 1) << 23);
}

}  // namespace ink::blocks
