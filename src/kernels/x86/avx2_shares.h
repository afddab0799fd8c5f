// Softmax of a page of products of integers with AVX2 (kernels/attention.h). Everything is static: see
// avx2_vectors.h.
#pragma once

#include "kernels/attention.h"
#include "kernels/x86/avx2_vectors.h"

namespace ink {
namespace {

// The number with the largest bits, which a NaN has.
inline float largest_bits(__m256i v) {
  __m128i most = _mm_max_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  most = _mm_max_epu32(most, _mm_unpackhi_epi64(most, most));
  most = _mm_max_epu32(most, _mm_srli_epi64(most, 32));
  return _mm_cvtss_f32(_mm_castsi128_ps(most));
}

// 2^x within 3e-7 for x <= 0, not below 2^-126; NaN stays NaN. x = n + r with |r| <= 1/2; 2^r by the
// polynomial of degree 5 with the least relative error, its constant rounded to 1; n is added to the
// exponent.
inline __m256 exp2_8(__m256 x) {
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: a small float added to it is rounded to an integer
  x = _mm256_max_ps(_mm256_set1_ps(-125.0f), x);  // the second operand when one is NaN
  const __m256 shifted = _mm256_add_ps(x, _mm256_set1_ps(kRounder));
  const __m256 r = _mm256_sub_ps(x, _mm256_sub_ps(shifted, _mm256_set1_ps(kRounder)));
  __m256 p = _mm256_set1_ps(0.00132764725f);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.00967554096f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.0555071309f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.240221202f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.693146944f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
  const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
}

// Products → shares in three steps, each for all rows before the next one: what one row waits for, other rows
// do not. Slots that a row does not see are left out where kWhole is false.
inline constexpr int kParts = kKvPageTokens / 8;

inline __m256 seen_lanes(int64_t slots, int part) {
  return _mm256_castsi256_ps(lanes_below(slots - 8 * part));
}

// Products → scores; the row's largest score, and the factor for its sums so far.
template <bool kWhole>
inline void score_row(const IntegerAttentionScratch& scratch, const float* key_scales, int64_t row,
                      int64_t slots) {
  const int32_t* products = scratch.products + row * kKvPageTokens;
  float* scores = scratch.scores(row);
  const __m256 q_scale = _mm256_broadcast_ss(scratch.q_scale + row);
  const float before = scratch.largest[row];
  __m256 most = _mm256_set1_ps(before);
#pragma GCC unroll 4
  for (int i = 0; i < kParts; ++i) {
    const __m256 product =
        _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(products + 8 * i)));
    const __m256 scale = _mm256_mul_ps(_mm256_loadu_ps(key_scales + 8 * i), q_scale);
    __m256 score = _mm256_mul_ps(product, scale);
    if (!kWhole) score = _mm256_blendv_ps(_mm256_set1_ps(-__builtin_inff()), score, seen_lanes(slots, i));
    _mm256_storeu_ps(scores + 8 * i, score);
    // A NaN is passed over here (the second operand wins) and shows in its own share.
    most = _mm256_max_ps(score, most);
  }
  const float largest = largest_lane(most);
  scratch.largest[row] = largest;
  scratch.factor[row] = largest == before ? 1.0f : _mm256_cvtss_f32(exp2_8(_mm256_set1_ps(before - largest)));
}

// Scores → shares times the scales of the values; the row's weight, and the largest of these.
template <bool kWhole>
inline void share_row(const IntegerAttentionScratch& scratch, const float* value_scales, int64_t row,
                      int64_t slots) {
  float* scores = scratch.scores(row);
  const __m256 shift = _mm256_broadcast_ss(scratch.largest + row);
  __m256 weight = _mm256_setzero_ps();
  __m256i most = _mm256_setzero_si256();
#pragma GCC unroll 4
  for (int i = 0; i < kParts; ++i) {
    __m256 share = exp2_8(_mm256_sub_ps(_mm256_loadu_ps(scores + 8 * i), shift));
    __m256 scale = _mm256_loadu_ps(value_scales + 8 * i);
    if (!kWhole) {
      share = _mm256_and_ps(share, seen_lanes(slots, i));
      scale = _mm256_and_ps(scale, seen_lanes(slots, i));
    }
    weight = _mm256_add_ps(weight, share);
    share = _mm256_mul_ps(share, scale);
    most = _mm256_max_epu32(most, _mm256_castps_si256(share));
    _mm256_storeu_ps(scores + 8 * i, share);
  }
  scratch.weight[row] = scratch.weight[row] * scratch.factor[row] + fold_lanes(weight);
  scratch.share_scale[row] = largest_bits(most);
}

// Shares → integers of at most `limit`, and their scale.
inline void round_shares(const IntegerAttentionScratch& scratch, int64_t row, float limit) {
  const float* shares = scratch.scores(row);
  int16_t* rounded = scratch.shares(row);
  const float largest = scratch.share_scale[row];
  const __m256 inverse = _mm256_set1_ps(largest < kLeastShare ? 0.0f : limit / largest);
  __m256i part[kParts];
#pragma GCC unroll 4
  for (int i = 0; i < kParts; ++i)
    part[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(shares + 8 * i), inverse));
#pragma GCC unroll 2
  for (int i = 0; i < kParts; i += 2) {
    // Packing works within 128-bit halves.
    const __m256i packed =
        _mm256_permute4x64_epi64(_mm256_packs_epi32(part[i], part[i + 1]), _MM_SHUFFLE(3, 1, 2, 0));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(rounded + 8 * i), packed);
  }
  scratch.share_scale[row] = largest * (1.0f / limit);
}

// Row r sees `seen` slots, and one more for each token after that of `first`.
template <bool kWhole>
void share_page(const AttentionTile& tile, const IntegerAttentionScratch& scratch, const float* key_scales,
                const float* value_scales, int64_t first, int64_t seen) {
  const auto limit = static_cast<float>(integer_limits(tile.type, tile.head_dim).share);
  const int64_t rows = tile.tokens * tile.heads;
  for (int64_t r = first; r < rows; ++r)
    score_row<kWhole>(scratch, key_scales, r, seen + (r - first) / tile.heads);
  for (int64_t r = first; r < rows; ++r)
    share_row<kWhole>(scratch, value_scales, r, seen + (r - first) / tile.heads);
  for (int64_t r = first; r < rows; ++r) round_shares(scratch, r, limit);
}

}  // namespace
}  // namespace ink
