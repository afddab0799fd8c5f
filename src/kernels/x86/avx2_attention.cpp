// Attention over one tile with AVX2 (kernels/attention.h). Rows of q are worked on in pairs for the scores
// and in fours for the values, so that each load of a key or value serves several; a row's own operations and
// their order never depend on its companions: scores are summed in eight lanes and folded four slots at a
// time, values are added slot after slot. Slots past the last that a row sees are worked out with whatever
// the page holds there, and dropped. The unroll pragmas keep the sums in registers: see
// avx2_float_panels.cpp.
#include "kernels/attention.h"

#include "kernels/x86/avx2_vectors.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

constexpr int kSlots = 4;  // keys scored at a time

void read_f16_row(const std::byte* row, int64_t head_dim, float* out) {
  const auto* halves = reinterpret_cast<const __m128i*>(row);
  int64_t d = 0;
  for (; d + 8 <= head_dim; d += 8)
    _mm256_storeu_ps(out + d, _mm256_cvtph_ps(_mm_loadu_si128(halves + d / 8)));
  for (; d < head_dim; ++d) {
    uint16_t bits;
    __builtin_memcpy(&bits, row + 2 * d, sizeof bits);
    out[d] = _cvtsh_ss(bits);
  }
}

void read_int8_row(const std::byte* row, float scale, int64_t head_dim, float* out) {
  const __m256 scales = _mm256_set1_ps(scale);
  int64_t d = 0;
  for (; d + 8 <= head_dim; d += 8) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row + d));
    _mm256_storeu_ps(out + d, _mm256_mul_ps(scales, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes))));
  }
  for (; d < head_dim; ++d) out[d] = scale * static_cast<float>(static_cast<int8_t>(row[d]));
}

// The rows of a page as floats; the columns past head_dim were made zero once for all pages.
void read_page(const AttentionTile& tile, const std::byte* page, int64_t slots, int64_t padded, float* out) {
  const int64_t head_dim = tile.head_dim;
  for (int64_t t = 0; t < slots; ++t) {
    float* row = out + t * padded;
    switch (tile.type) {
      case KvType::kF32:
        __builtin_memcpy(row, page + 4 * t * head_dim, static_cast<size_t>(head_dim) * 4);
        break;
      case KvType::kF16:
        read_f16_row(page + 2 * t * head_dim, head_dim, row);
        break;
      case KvType::kInt8: {
        float scale;
        __builtin_memcpy(&scale, page + kKvPageTokens * head_dim + 4 * t, sizeof scale);
        read_int8_row(page + t * head_dim, scale, head_dim, row);
        break;
      }
    }
  }
}

// The sums of the lanes of four registers, as fold_lanes gives them one by one.
inline __m128 fold_four(const __m256 (&v)[kSlots]) {
  __m128 four[kSlots];
#pragma GCC unroll 4
  for (int s = 0; s < kSlots; ++s)
    four[s] = _mm_add_ps(_mm256_castps256_ps128(v[s]), _mm256_extractf128_ps(v[s], 1));
  _MM_TRANSPOSE4_PS(four[0], four[1], four[2], four[3]);
  return _mm_add_ps(_mm_add_ps(four[0], four[2]), _mm_add_ps(four[1], four[3]));
}

// scores[r][t] of kRows rows of q for all slots of a page, in fours.
template <int kRows>
inline void score_page(const float* q, const float* keys, int64_t slots, int64_t padded, float* scores) {
  for (int64_t t = 0; t < slots; t += kSlots) {
    __m256 sum[kRows][kSlots] = {};
    const float* key = keys + t * padded;
    for (int64_t d = 0; d < padded; d += 8) {
      __m256 row[kRows];
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) row[r] = _mm256_loadu_ps(q + r * padded + d);
#pragma GCC unroll 4
      for (int s = 0; s < kSlots; ++s) {
        const __m256 column = _mm256_loadu_ps(key + s * padded + d);
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) sum[r][s] = _mm256_fmadd_ps(row[r], column, sum[r][s]);
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) _mm_storeu_ps(scores + r * kKvPageTokens + t, fold_four(sum[r]));
  }
}

inline float largest_lane(__m256 v) {
  __m128 most = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  most = _mm_max_ps(most, _mm_movehl_ps(most, most));
  return _mm_cvtss_f32(_mm_max_ss(most, _mm_movehdup_ps(most)));
}

// scores → exp(score - largest), the sums of the row so far scaled to the new largest score.
void weigh(const AttentionScratch& scratch, int64_t row, int64_t slots, float* scores) {
  const __m256 lowest = _mm256_set1_ps(-__builtin_inff());
  __m256 value[kKvPageTokens / 8];
  __m256 most = _mm256_set1_ps(scratch.largest[row]);
  // A NaN is passed over here (the second operand wins) and shows in its own exponential.
  for (int64_t t = 0; t < kKvPageTokens; t += 8) {
    const int64_t left = slots - t < 0 ? 0 : slots - t > 8 ? 8 : slots - t;
    const __m256 seen = _mm256_castsi256_ps(lanes_below(left));
    value[t / 8] = _mm256_blendv_ps(lowest, _mm256_loadu_ps(scores + t), seen);
    most = _mm256_max_ps(value[t / 8], most);
  }
  const float largest = largest_lane(most);
  const __m256 shift = _mm256_set1_ps(largest);
  __m256 weight = _mm256_setzero_ps();
  for (int64_t t = 0; t < kKvPageTokens; t += 8) {
    const __m256 share = exp8(_mm256_sub_ps(value[t / 8], shift));
    _mm256_storeu_ps(scores + t, share);
    weight = _mm256_add_ps(weight, share);
  }
  float factor = 1.0f;
  if (largest != scratch.largest[row]) {
    factor = _mm256_cvtss_f32(exp8(_mm256_set1_ps(scratch.largest[row] - largest)));
    const __m256 factors = _mm256_set1_ps(factor);
    float* sums = scratch.sums + row * scratch.padded;
    for (int64_t d = 0; d < scratch.padded; d += 8)
      _mm256_storeu_ps(sums + d, _mm256_mul_ps(_mm256_loadu_ps(sums + d), factors));
  }
  scratch.largest[row] = largest;
  scratch.weight[row] = scratch.weight[row] * factor + fold_lanes(weight);
}

// sums[r] += share * value, slots ascending.
template <int kRows>
inline void add_values(const AttentionScratch& scratch, int64_t row, int64_t slots) {
  constexpr int kWidth = kRows == 1   ? 8
                         : kRows == 2 ? 4
                                      : 2;  // registers of columns at a time: about eight sums
  const int64_t padded = scratch.padded;
  for (int64_t d = 0; d < padded; d += 8 * kWidth) {
    const int64_t width = (padded - d) / 8 < kWidth ? (padded - d) / 8 : kWidth;
    float* sums = scratch.sums + row * padded + d;
    const float* values = scratch.values + d;
    if (width < kWidth) {
      for (int64_t w = 0; w < width; ++w) {
        for (int r = 0; r < kRows; ++r) {
          __m256 sum = _mm256_loadu_ps(sums + r * padded + 8 * w);
          for (int64_t t = 0; t < slots; ++t) {
            const __m256 share = _mm256_broadcast_ss(scratch.scores + r * kKvPageTokens + t);
            sum = _mm256_fmadd_ps(share, _mm256_loadu_ps(values + t * padded + 8 * w), sum);
          }
          _mm256_storeu_ps(sums + r * padded + 8 * w, sum);
        }
      }
      continue;
    }
    __m256 sum[kRows][kWidth];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int w = 0; w < kWidth; ++w) sum[r][w] = _mm256_loadu_ps(sums + r * padded + 8 * w);
    }
    for (int64_t t = 0; t < slots; ++t) {
      __m256 value[kWidth];
#pragma GCC unroll 8
      for (int w = 0; w < kWidth; ++w) value[w] = _mm256_loadu_ps(values + t * padded + 8 * w);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const __m256 share = _mm256_broadcast_ss(scratch.scores + r * kKvPageTokens + t);
#pragma GCC unroll 8
        for (int w = 0; w < kWidth; ++w) sum[r][w] = _mm256_fmadd_ps(share, value[w], sum[r][w]);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int w = 0; w < kWidth; ++w) _mm256_storeu_ps(sums + r * padded + 8 * w, sum[r][w]);
    }
  }
}

// Up to four rows that see the same slots of the page in the scratch.
void add_page(const AttentionScratch& scratch, int64_t row, int64_t rows, int64_t slots) {
  const int64_t padded = scratch.padded;
  const float* q = scratch.q + row * padded;
  int64_t r = 0;
  for (; r + 2 <= rows; r += 2)
    score_page<2>(q + r * padded, scratch.keys, slots, padded, scratch.scores + r * kKvPageTokens);
  if (r < rows)
    score_page<1>(q + r * padded, scratch.keys, slots, padded, scratch.scores + r * kKvPageTokens);
  for (r = 0; r < rows; ++r) weigh(scratch, row + r, slots, scratch.scores + r * kKvPageTokens);
  switch (rows) {
    case 1:
      return add_values<1>(scratch, row, slots);
    case 2:
      return add_values<2>(scratch, row, slots);
    case 3:
      return add_values<3>(scratch, row, slots);
    default:
      return add_values<4>(scratch, row, slots);
  }
}

void add_page_to_rows(const AttentionScratch& scratch, int64_t first, int64_t rows, int64_t slots) {
  for (int64_t r = 0; r < rows; r += 4) add_page(scratch, first + r, rows - r < 4 ? rows - r : 4, slots);
}

void begin(const AttentionTile& tile, const AttentionScratch& scratch) {
  const int64_t rows = tile.tokens * tile.heads;
  const int64_t padded = scratch.padded;
  for (int64_t r = 0; r < rows; ++r) {
    const float* q = tile.q + r / tile.heads * tile.token_stride + r % tile.heads * tile.head_dim;
    float* copy = scratch.q + r * padded;
    for (int64_t d = 0; d < tile.head_dim; ++d) copy[d] = q[d];
    if (rotates_keys(tile.type, tile.head_dim)) hadamard(copy, tile.head_dim);
    for (int64_t d = 0; d < tile.head_dim; ++d) copy[d] *= tile.scale;
    for (int64_t d = tile.head_dim; d < padded; ++d) copy[d] = 0.0f;
    for (int64_t d = 0; d < padded; ++d) scratch.sums[r * padded + d] = 0.0f;
    scratch.largest[r] = -__builtin_inff();
    scratch.weight[r] = 0.0f;
  }
  for (int64_t t = 0; t < kKvPageTokens; ++t) {
    for (int64_t d = tile.head_dim; d < padded; ++d)
      scratch.keys[t * padded + d] = scratch.values[t * padded + d] = 0.0f;
  }
}

void attend(const AttentionTile& tile) {
  const int64_t rows = tile.tokens * tile.heads;
  const AttentionScratch scratch(tile.scratch, rows, tile.head_dim);
  begin(tile, scratch);
  const int64_t last_length = tile.first_length + tile.tokens - 1;
  for (int64_t start = 0; start < last_length; start += kKvPageTokens) {
    const int64_t page = start / kKvPageTokens;
    const int64_t slots = last_length - start < kKvPageTokens ? last_length - start : kKvPageTokens;
    read_page(tile, tile.k_pages[page], slots, scratch.padded, scratch.keys);
    read_page(tile, tile.v_pages[page], slots, scratch.padded, scratch.values);
    if (start + slots <= tile.first_length) {
      add_page_to_rows(scratch, 0, rows, slots);
      continue;
    }
    for (int64_t i = 0; i < tile.tokens; ++i) {
      const int64_t seen = tile.first_length + i - start;
      if (seen > 0) add_page_to_rows(scratch, i * tile.heads, tile.heads, seen < slots ? seen : slots);
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    float* out = tile.out + r / tile.heads * tile.token_stride + r % tile.heads * tile.head_dim;
    for (int64_t d = 0; d < tile.head_dim; ++d)
      out[d] = scratch.sums[r * scratch.padded + d] / scratch.weight[r];
  }
}

void to_f16(const float* values, int64_t count, uint16_t* halves) {
  constexpr int kRounding = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i bits = _mm256_cvtps_ph(_mm256_loadu_ps(values + i), kRounding);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(halves + i), bits);
  }
  for (; i < count; ++i) {
    const __m128i bits = _mm_cvtps_ph(_mm_set_ss(values[i]), kRounding);
    halves[i] = static_cast<uint16_t>(_mm_cvtsi128_si32(bits));
  }
}

}  // namespace

void install_avx2_attention(KernelTable& table) {
  table.attend = attend;
  table.to_f16 = to_f16;
}

}  // namespace ink
