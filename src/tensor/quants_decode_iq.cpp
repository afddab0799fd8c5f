// Decoders of the IQ formats: a code names a row of 8 (or 4) weights in a code book (quants_grids.h), or, in
// IQ4, a nibble names one of 16 levels. All have one f16 scale d over 256 weights (IQ4_NL: 32) and small
// scales under it. g counts groups of 32 weights, k the codes inside a group.
#include <array>

#include "tensor/quants_blocks.h"
#include "tensor/quants_grids.h"

namespace ink::blocks {
namespace {

// kSignMasks[bits][i] is -1 where bit i is set, else 0.
constexpr auto kSignMasks = [] {
  std::array<std::array<int8_t, 8>, 256> masks{};
  for (int bits = 0; bits < 256; ++bits) {
    for (int i = 0; i < 8; ++i)
      masks[static_cast<size_t>(bits)][static_cast<size_t>(i)] = to_q(-(bits >> i & 1));
  }
  return masks;
}();

// Eight signs stored in seven bits: the number of minus signs is even, so the eighth follows.
uint8_t even_signs(uint32_t seven_bits) {
  uint32_t parity = seven_bits & 127;
  parity ^= parity >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return static_cast<uint8_t>((seven_bits & 127) | (parity & 1) << 7);
}

// Weights of one code with their signs; sign i belongs to weight i.
template <size_t kWeights>
void put_signed(const std::array<int8_t, kWeights>& magnitudes, const int8_t* __restrict sign_mask,
                int8_t* __restrict q) {
  for (size_t i = 0; i < kWeights; ++i) q[i] = to_q((magnitudes[i] ^ sign_mask[i]) - sign_mask[i]);
}

// The scales of IQ2_XS and IQ2_S: a nibble for each half of the group.
void set_scales_of_iq2(Group32& group, float d, uint8_t nibbles) {
  group.scale[0] = d * (0.5f + static_cast<float>(nibbles & 15)) * 0.25f;
  group.scale[1] = d * (0.5f + static_cast<float>(nibbles >> 4)) * 0.25f;
  group.offset[0] = group.offset[1] = 0.0f;
}

// A row of the IQ1 book, -1, 0 or 1, moved up or down by an eighth. In eighths the weights are integers: q is
// -9, -7, -1, 1, 7 or 9, and the scale an eighth of the format's.
void put_shifted(const std::array<int8_t, 8>& eighths, bool down, int8_t* __restrict q) {
  const int shift = down ? -1 : 1;
  for (size_t i = 0; i < 8; ++i) q[i] = to_q(eighths[i] + shift);
}

void put_levels(const uint8_t* __restrict nibbles, int8_t* __restrict q) {
  for (int i = 0; i < 16; ++i) q[i] = kLevelsIq4[nibbles[i] & 15];
  for (int i = 0; i < 16; ++i) q[16 + i] = kLevelsIq4[nibbles[i] >> 4];
}

}  // namespace

// d; 32 low bytes of codes; per group a 16-bit word: three high bits for each of its four codes, three bits
// of scale, one bit for the direction of the shift.
void decode_iq1_s(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block);
  for (int g = 0; g < 8; ++g) {
    const uint8_t* codes = block + 2 + 4 * g;
    const int high = load_u16(block + 34 + 2 * g);
    const int scale = 2 * (high >> 12 & 7) + 1;
    set_scale(groups[g], d * static_cast<float>(scale) * 0.125f);
    for (int k = 0; k < 4; ++k) {
      const int code = codes[k] | (high >> (3 * k) & 7) << 8;
      put_shifted(kGridIq1[static_cast<size_t>(code)], (high & 0x8000) != 0, groups[g].q + 8 * k);
    }
  }
}

// 32 low bytes of codes; 16 bytes with a nibble per code: three high bits and the direction of the shift;
// four 16-bit words with four 3-bit scales each, one per 16 weights. Their top nibbles together are d.
void decode_iq1_m(const uint8_t* __restrict block, Group32* __restrict groups) {
  uint16_t words[4];
  int d_bits = 0;
  for (int i = 0; i < 4; ++i) {
    words[i] = load_u16(block + 48 + 2 * i);
    d_bits |= words[i] >> 12 << (4 * i);
  }
  const float d = f16_to_f32(static_cast<uint16_t>(d_bits));
  for (int g = 0; g < 8; ++g) {
    for (int half = 0; half < 2; ++half) {
      const int sixteen = 2 * g + half;
      const int scale = 2 * (words[sixteen / 4] >> (3 * (sixteen % 4)) & 7) + 1;
      groups[g].scale[half] = d * static_cast<float>(scale) * 0.125f;
      groups[g].offset[half] = 0.0f;
    }
    for (int k = 0; k < 4; ++k) {
      const int high = block[32 + 2 * g + k / 2] >> (4 * (k % 2)) & 15;
      const int code = block[4 * g + k] | (high & 7) << 8;
      put_shifted(kGridIq1[static_cast<size_t>(code)], (high & 8) != 0, groups[g].q + 8 * k);
    }
  }
}

// d; per group two 32-bit words: four codes of a byte; four times seven sign bits, then four bits of scale.
void decode_iq2_xxs(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block);
  for (int g = 0; g < 8; ++g) {
    const uint8_t* codes = block + 2 + 8 * g;
    const uint32_t signs = load_u32(codes + 4);
    set_scale(groups[g], d * (0.5f + static_cast<float>(signs >> 28)) * 0.25f);
    for (int k = 0; k < 4; ++k) {
      put_signed(kGridIq2Xxs[codes[k]], kSignMasks[even_signs(signs >> (7 * k))].data(), groups[g].q + 8 * k);
    }
  }
}

// d; 32 16-bit words with nine bits of code under seven sign bits; eight bytes of scales.
void decode_iq2_xs(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block);
  for (int g = 0; g < 8; ++g) {
    set_scales_of_iq2(groups[g], d, block[66 + g]);
    for (int k = 0; k < 4; ++k) {
      const uint32_t word = load_u16(block + 2 + 2 * (4 * g + k));
      put_signed(kGridIq2Xs[word & 511], kSignMasks[even_signs(word >> 9)].data(), groups[g].q + 8 * k);
    }
  }
}

// d; 32 low bytes of codes; 32 bytes of signs; eight bytes with two high bits for each code of a group; eight
// bytes of scales.
void decode_iq2_s(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block);
  for (int g = 0; g < 8; ++g) {
    set_scales_of_iq2(groups[g], d, block[74 + g]);
    for (int k = 0; k < 4; ++k) {
      const int code = block[2 + 4 * g + k] | (block[66 + g] >> (2 * k) & 3) << 8;
      const uint8_t signs = block[34 + 4 * g + k];
      put_signed(kGridIq2S[static_cast<size_t>(code)], kSignMasks[signs].data(), groups[g].q + 8 * k);
    }
  }
}

// d; 64 codes of a byte, for four weights each; per group a 32-bit word with four times seven sign bits, then
// four bits of scale.
void decode_iq3_xxs(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block);
  for (int g = 0; g < 8; ++g) {
    const uint32_t signs = load_u32(block + 66 + 4 * g);
    set_scale(groups[g], d * (0.5f + static_cast<float>(signs >> 28)) * 0.5f);
    for (int k = 0; k < 8; ++k) {
      const auto& mask = kSignMasks[even_signs(signs >> (7 * (k / 2)))];
      put_signed(kGridIq3Xxs[block[2 + 8 * g + k]], mask.data() + 4 * (k % 2), groups[g].q + 4 * k);
    }
  }
}

// d; 64 low bytes of codes for four weights each; eight bytes with the ninth bit of each code of a group; 32
// bytes of signs; four bytes of scales, a nibble per group.
void decode_iq3_s(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block);
  for (int g = 0; g < 8; ++g) {
    const int scale = 2 * (block[106 + g / 2] >> (4 * (g % 2)) & 15) + 1;
    set_scale(groups[g], d * static_cast<float>(scale));
    for (int k = 0; k < 8; ++k) {
      const int code = block[2 + 8 * g + k] | (block[66 + g] >> k & 1) << 8;
      const auto& mask = kSignMasks[block[74 + 4 * g + k / 2]];
      put_signed(kGridIq3S[static_cast<size_t>(code)], mask.data() + 4 * (k % 2), groups[g].q + 4 * k);
    }
  }
}

// d; 16 bytes of nibbles.
void decode_iq4_nl(const uint8_t* __restrict block, Group32* __restrict groups) {
  set_scale(*groups, load_f16(block));
  put_levels(block + 2, groups->q);
}

// d; two high bits of each group's scale in a 16-bit word; the low nibbles in four bytes; 16 bytes of nibbles
// per group. The scale is -32..31.
void decode_iq4_xs(const uint8_t* __restrict block, Group32* __restrict groups) {
  const float d = load_f16(block);
  const int high = load_u16(block + 2);
  for (int g = 0; g < 8; ++g) {
    const int low = block[4 + g / 2] >> (4 * (g % 2)) & 15;
    const int scale = (low | (high >> (2 * g) & 3) << 4) - 32;
    set_scale(groups[g], d * static_cast<float>(scale));
    put_levels(block + 8 + 16 * g, groups[g].q);
  }
}

}  // namespace ink::blocks
