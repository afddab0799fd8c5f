// Attention over one key/value head with AVX2. All query heads that share the head are worked on together, up
// to four at a time, so that each row of keys and values is loaded once for them. Scores are summed in the
// eight lanes of portable/lanes.h; values are added slot after slot, a page at a time so that its rows stay
// in the first-level cache. The unroll pragmas keep the sums in registers: see avx2_float_panels.cpp.
#include "kernels/x86/avx2_vectors.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

constexpr int kMostHeads = 4;  // worked on together
constexpr int kSlots = 2;      // rows of keys at a time: with four heads, eight sums

// Query heads first .. first + kHeads - 1 against kRows consecutive rows of keys; scores[h * length + slot].
template <int kHeads, int kRows>
inline void score_slots(const AttentionInput& input, int64_t first, const float* keys, float* scores) {
  const int64_t head_dim = input.head_dim;
  const float* q = input.q + first * head_dim;
  __m256 sum[kHeads][kRows] = {};
  int64_t d = 0;
  for (; d + 8 <= head_dim; d += 8) {
    __m256 key[kRows];
#pragma GCC unroll 8
    for (int s = 0; s < kRows; ++s) key[s] = _mm256_loadu_ps(keys + s * head_dim + d);
#pragma GCC unroll 8
    for (int h = 0; h < kHeads; ++h) {
      const __m256 query = _mm256_loadu_ps(q + h * head_dim + d);
#pragma GCC unroll 8
      for (int s = 0; s < kRows; ++s) sum[h][s] = _mm256_fmadd_ps(query, key[s], sum[h][s]);
    }
  }
  if (d < head_dim) {
    const __m256i tail = lanes_below(head_dim - d);
#pragma GCC unroll 8
    for (int h = 0; h < kHeads; ++h) {
      const __m256 query = _mm256_maskload_ps(q + h * head_dim + d, tail);
#pragma GCC unroll 8
      for (int s = 0; s < kRows; ++s) {
        const __m256 key = _mm256_maskload_ps(keys + s * head_dim + d, tail);
        sum[h][s] = _mm256_fmadd_ps(query, key, sum[h][s]);
      }
    }
  }
#pragma GCC unroll 8
  for (int h = 0; h < kHeads; ++h) {
#pragma GCC unroll 8
    for (int s = 0; s < kRows; ++s) scores[h * input.length + s] = fold_lanes(sum[h][s]) * input.scale;
  }
}

// scores → exp(score - largest); returns their sum.
float exponentials(float* scores, int64_t length) {
  const int64_t whole = length - length % 8;
  const __m256i tail = lanes_below(length % 8);
  const __m256 lowest = _mm256_set1_ps(-__builtin_inff());
  __m256 largest = lowest;
  // A NaN is passed over here (the second operand wins) and shows in its own exponential.
  for (int64_t t = 0; t < whole; t += 8) largest = _mm256_max_ps(_mm256_loadu_ps(scores + t), largest);
  const __m256 last = _mm256_maskload_ps(scores + whole, tail);
  largest = _mm256_max_ps(_mm256_blendv_ps(lowest, last, _mm256_castsi256_ps(tail)), largest);
  __m128 most = _mm_max_ps(_mm256_castps256_ps128(largest), _mm256_extractf128_ps(largest, 1));
  most = _mm_max_ps(most, _mm_movehl_ps(most, most));
  most = _mm_max_ss(most, _mm_movehdup_ps(most));
  const __m256 shift = _mm256_broadcastss_ps(most);

  __m256 sum = _mm256_setzero_ps();
  for (int64_t t = 0; t < whole; t += 8) {
    const __m256 e = exp8(_mm256_sub_ps(_mm256_loadu_ps(scores + t), shift));
    _mm256_storeu_ps(scores + t, e);
    sum = _mm256_add_ps(sum, e);
  }
  const __m256 e = exp8(_mm256_sub_ps(last, shift));
  _mm256_maskstore_ps(scores + whole, tail, e);
  return fold_lanes(_mm256_add_ps(sum, _mm256_and_ps(e, _mm256_castsi256_ps(tail))));
}

// out[h][0 .. 8 * kWidth) += probability * value for the rows of one page.
template <int kHeads, int kWidth>
inline void add_values(const float* values, int64_t rows, int64_t head_dim, const float* probabilities,
                       int64_t length, float* out) {
  __m256 sum[kHeads][kWidth];
#pragma GCC unroll 8
  for (int h = 0; h < kHeads; ++h) {
#pragma GCC unroll 8
    for (int w = 0; w < kWidth; ++w) sum[h][w] = _mm256_loadu_ps(out + h * head_dim + 8 * w);
  }
  for (int64_t t = 0; t < rows; ++t) {
    __m256 value[kWidth];
#pragma GCC unroll 8
    for (int w = 0; w < kWidth; ++w) value[w] = _mm256_loadu_ps(values + t * head_dim + 8 * w);
#pragma GCC unroll 8
    for (int h = 0; h < kHeads; ++h) {
      const __m256 probability = _mm256_broadcast_ss(probabilities + h * length + t);
#pragma GCC unroll 8
      for (int w = 0; w < kWidth; ++w) sum[h][w] = _mm256_fmadd_ps(probability, value[w], sum[h][w]);
    }
  }
#pragma GCC unroll 8
  for (int h = 0; h < kHeads; ++h) {
#pragma GCC unroll 8
    for (int w = 0; w < kWidth; ++w) _mm256_storeu_ps(out + h * head_dim + 8 * w, sum[h][w]);
  }
}

// The same for the last columns, fewer than 8, of one head.
void add_last_values(const float* values, int64_t rows, int64_t head_dim, const float* probabilities,
                     float* out) {
  const __m256i tail = lanes_below(head_dim % 8);
  __m256 sum = _mm256_maskload_ps(out, tail);
  for (int64_t t = 0; t < rows; ++t) {
    const __m256 value = _mm256_maskload_ps(values + t * head_dim, tail);
    sum = _mm256_fmadd_ps(_mm256_broadcast_ss(probabilities + t), value, sum);
  }
  _mm256_maskstore_ps(out, tail, sum);
}

template <int kHeads>
void attend_heads(const AttentionInput& input, int64_t first) {
  // Registers of values at a time: about eight sums, enough to hide the latency of an addition.
  constexpr int kWidth = kHeads <= 2 ? 8 / kHeads : 2;
  const int64_t length = input.length;
  const int64_t head_dim = input.head_dim;
  float* scores = input.scores + first * length;
  float* out = input.out + first * head_dim;

  for (int64_t start = 0; start < length; start += kKvPageTokens) {
    const float* keys = input.k_page[start / kKvPageTokens];
    const int64_t rows = length - start < kKvPageTokens ? length - start : kKvPageTokens;
    int64_t t = 0;
    for (; t + kSlots <= rows; t += kSlots)
      score_slots<kHeads, kSlots>(input, first, keys + t * head_dim, scores + start + t);
    for (; t < rows; ++t) score_slots<kHeads, 1>(input, first, keys + t * head_dim, scores + start + t);
  }

  float sum[kHeads];
  for (int h = 0; h < kHeads; ++h) sum[h] = exponentials(scores + h * length, length);

  for (int64_t i = 0; i < kHeads * head_dim; ++i) out[i] = 0.0f;
  for (int64_t start = 0; start < length; start += kKvPageTokens) {
    const float* values = input.v_page[start / kKvPageTokens];
    const int64_t rows = length - start < kKvPageTokens ? length - start : kKvPageTokens;
    int64_t d = 0;
    for (; d + 8 * kWidth <= head_dim; d += 8 * kWidth)
      add_values<kHeads, kWidth>(values + d, rows, head_dim, scores + start, length, out + d);
    for (; d + 8 <= head_dim; d += 8)
      add_values<kHeads, 1>(values + d, rows, head_dim, scores + start, length, out + d);
    for (int h = 0; d < head_dim && h < kHeads; ++h)
      add_last_values(values + d, rows, head_dim, scores + h * length + start, out + h * head_dim + d);
  }
  for (int h = 0; h < kHeads; ++h) {
    for (int64_t d = 0; d < head_dim; ++d) out[h * head_dim + d] /= sum[h];
  }
}

void attend(const AttentionInput& input) {
  for (int64_t h = 0; h < input.heads; h += kMostHeads) {
    switch (input.heads - h) {
      case 1:
        attend_heads<1>(input, h);
        break;
      case 2:
        attend_heads<2>(input, h);
        break;
      case 3:
        attend_heads<3>(input, h);
        break;
      default:
        attend_heads<4>(input, h);
    }
  }
}

}  // namespace

void install_avx2_attention(KernelTable& table) { table.attend = attend; }

}  // namespace ink
