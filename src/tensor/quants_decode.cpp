// Decoders of the simple blocks: 32 (NVFP4: 64) weights with their own scale, and the two ternary formats.
// f16 fields are called d (scale) and m (offset) as in ggml. Nibbles are never neighbours: the low halves of
// the bytes are the first 16 weights, the high halves the other 16.
#include "tensor/quants_blocks.h"

namespace ink::blocks {
namespace {

// 32 nibbles in 16 bytes.
void split_nibbles(const uint8_t* __restrict bytes, int8_t* __restrict q) {
  for (int i = 0; i < 16; ++i) q[i] = to_q(bytes[i] & 15);
  for (int i = 0; i < 16; ++i) q[16 + i] = to_q(bytes[i] >> 4);
}

// Nibbles with a fifth bit each, less `zero`.
void join_five_bits(const uint8_t* __restrict high_bits, const uint8_t* __restrict nibbles, int zero,
                    int8_t* __restrict q) {
  const uint32_t high = load_u32(high_bits);
  for (int i = 0; i < 16; ++i) {
    q[i] = to_q((nibbles[i] & 15) + static_cast<int>((high >> i & 1) << 4) - zero);
    q[16 + i] = to_q((nibbles[i] >> 4) + static_cast<int>((high >> (16 + i) & 1) << 4) - zero);
  }
}

// The unsigned 8-bit float of NVFP4 (four exponent bits, three of mantissa), halved for kFloat4. The top bit
// is ignored and 0x7f is the format's NaN, read as 0.
float half_of_float8(uint8_t bits) {
  if (bits == 0x7f) return 0.0f;
  const int exponent = bits >> 3 & 15;
  const int mantissa = bits & 7;
  const int eighths = exponent == 0 ? mantissa : 8 + mantissa;
  // eighths * 2^(exponent - 7 - 3 - 1), subnormals as if the exponent were 1.
  const uint32_t power = static_cast<uint32_t>(127 - 11 + std::max(exponent, 1)) << 23;
  return static_cast<float>(eighths) * std::bit_cast<float>(power);
}

}  // namespace

// d, 16 bytes of nibbles; weight = d * (nibble - 8).
void decode_q4_0(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block);
  set_scale(*groups, d, -8.0f * d);
  split_nibbles(block + 2, groups->q);
}

// d, m, 16 bytes of nibbles; weight = d * nibble + m.
void decode_q4_1(const uint8_t* __restrict block, Group32* __restrict groups) {
  set_scale(*groups, load_f16(block), load_f16(block + 2));
  split_nibbles(block + 4, groups->q);
}

// d, 32 fifth bits, 16 bytes of nibbles; weight = d * (number - 16).
void decode_q5_0(const uint8_t* __restrict block, Group32* __restrict groups) {
  set_scale(*groups, load_f16(block));
  join_five_bits(block + 2, block + 6, 16, groups->q);
}

// d, m, 32 fifth bits, 16 bytes of nibbles; weight = d * number + m.
void decode_q5_1(const uint8_t* __restrict block, Group32* __restrict groups) {
  set_scale(*groups, load_f16(block), load_f16(block + 2));
  join_five_bits(block + 4, block + 8, 0, groups->q);
}

// d, 32 signed bytes.
void decode_q8_0(const uint8_t* __restrict block, Group32* __restrict groups) {
  set_scale(*groups, load_f16(block));
  for (int i = 0; i < 32; ++i) groups->q[i] = static_cast<int8_t>(block[2 + i]);
}

// 256 weights -1, 0, 1 in 52 bytes, then d. A byte is the fraction 0.abcde in base 3, rounded up to 1/256:
// times 3^k drops the first k digits (the product wraps), times 3 moves the next one above the point. 32
// bytes give weights 0..159, digit by digit; 16 bytes 160..239; 4 bytes, with four digits, the rest.
void decode_tq1_0(const uint8_t* __restrict block, Group32* __restrict groups) {
  int8_t q[256];
  int8_t* next = q;
  const auto digits = [&next](const uint8_t* bytes, int count, int digit_count) {
    for (int digit = 0, power = 1; digit < digit_count; ++digit, power *= 3) {
      for (int i = 0; i < count; ++i) *next++ = to_q((static_cast<uint8_t>(bytes[i] * power) * 3 >> 8) - 1);
    }
  };
  digits(block, 32, 5);
  digits(block + 32, 16, 5);
  digits(block + 48, 4, 4);
  const float d = load_f16(block + 52);
  for (int g = 0; g < 8; ++g) {
    set_scale(groups[g], d);
    std::copy_n(q + 32 * g, 32, groups[g].q);
  }
}

// 64 bytes of four 2-bit numbers each, then d; weight = d * (number - 1). Each 32 bytes hold 128 weights: the
// lowest bits the first 32, and so on upwards.
void decode_tq2_0(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block + 64);
  for (int g = 0; g < 8; ++g) {
    const uint8_t* bytes = block + 32 * (g / 4);
    const int shift = 2 * (g % 4);
    for (int i = 0; i < 32; ++i) groups[g].q[i] = to_q((bytes[i] >> shift & 3) - 1);
    set_scale(groups[g], d);
  }
}

// An 8-bit power of two, 16 bytes of nibbles that are 4-bit floats.
void decode_mxfp4(const uint8_t* __restrict block, Group32* __restrict groups) {
  set_scale(*groups, half_of_power(block[0]));
  for (int i = 0; i < 16; ++i) groups->q[i] = kFloat4[block[1 + i] & 15];
  for (int i = 0; i < 16; ++i) groups->q[16 + i] = kFloat4[block[1 + i] >> 4];
}

// Four 8-bit scales for 16 weights each, then 8 bytes of 4-bit floats for each: low halves first.
void decode_nvfp4(const uint8_t* __restrict block, Group32* __restrict groups) {
  for (int sixteen = 0; sixteen < 4; ++sixteen) {
    Group32& group = groups[sixteen / 2];
    const int half = sixteen % 2;
    group.scale[half] = half_of_float8(block[sixteen]);
    group.offset[half] = 0.0f;
    const uint8_t* bytes = block + 4 + 8 * sixteen;
    for (int i = 0; i < 8; ++i) group.q[16 * half + i] = kFloat4[bytes[i] & 15];
    for (int i = 0; i < 8; ++i) group.q[16 * half + 8 + i] = kFloat4[bytes[i] >> 4];
  }
}

}  // namespace ink::blocks
