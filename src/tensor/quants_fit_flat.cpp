// Searching encoders of the blocks of 32 weights that have one f16 scale, and in the _1 formats an f16
// offset.
#include "tensor/quants_blocks.h"
#include "tensor/quants_fit_blocks.h"
#include "tensor/quants_fit_groups.h"

namespace ink::fit {
namespace {

using blocks::store_fifth_bits;
using blocks::store_half;
using blocks::store_nibbles;

// Stores the scale and gives the levels.
template <typename Levels>
void encode_scaled(const float* values, const float* weights, uint8_t* block, float* levels) {
  const float scale = fit_scale<Levels>(values, weights, 32, true).scale;
  store_half(block, scale);
  take_levels<Levels>(values, 32, scale, levels);
}

// Q4_0 and Q5_0: codes count from the lowest level.
template <typename Levels>
void encode_centred(const float* values, const float* weights, uint8_t* block, uint8_t* codes) {
  float levels[32];
  encode_scaled<Levels>(values, weights, block, levels);
  for (int i = 0; i < 32; ++i) codes[i] = static_cast<uint8_t>(levels[i] - Levels::kLowest);
}

void encode_affine(const float* values, const float* weights, float top, uint8_t* block, uint8_t* codes) {
  const AffineFit fit = fit_affine(values, weights, 32, top, true);
  store_half(block, fit.scale);
  store_half(block + 2, -fit.minimum);
  take_codes(values, 32, top, fit.scale, fit.minimum, codes);
}

}  // namespace

void encode_q4_0(const float* values, const float* weights, uint8_t* block) {
  uint8_t codes[32];
  encode_centred<WholeLevels<-8, 7>>(values, weights, block, codes);
  store_nibbles(codes, block + 2);
}

void encode_q5_0(const float* values, const float* weights, uint8_t* block) {
  uint8_t codes[32];
  encode_centred<WholeLevels<-16, 15>>(values, weights, block, codes);
  store_fifth_bits(codes, block + 2);
  store_nibbles(codes, block + 6);
}

void encode_q4_1(const float* values, const float* weights, uint8_t* block) {
  uint8_t codes[32];
  encode_affine(values, weights, 15.0f, block, codes);
  store_nibbles(codes, block + 4);
}

void encode_q5_1(const float* values, const float* weights, uint8_t* block) {
  uint8_t codes[32];
  encode_affine(values, weights, 31.0f, block, codes);
  store_fifth_bits(codes, block + 4);
  store_nibbles(codes, block + 8);
}

// The format could hold -128, but kernels multiply magnitudes of at most 127.
void encode_q8_0(const float* values, const float* weights, uint8_t* block) {
  float levels[32];
  encode_scaled<WholeLevels<-127, 127>>(values, weights, block, levels);
  for (int i = 0; i < 32; ++i) block[2 + i] = static_cast<uint8_t>(static_cast<int>(levels[i]));
}

void encode_iq4_nl(const float* values, const float* weights, uint8_t* block) {
  float levels[32];
  encode_scaled<UnevenLevels>(values, weights, block, levels);
  uint8_t codes[32];
  for (int i = 0; i < 32; ++i) codes[i] = UnevenLevels::code(levels[i]);
  store_nibbles(codes, block + 2);
}

}  // namespace ink::fit
