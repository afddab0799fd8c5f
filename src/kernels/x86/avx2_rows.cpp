// One row at a time with AVX2: quantization (the same bits as portable/quantize.cpp), rotation, norm, gate.
#include "kernels/x86/avx2_vectors.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

// The largest of eight non-negative integers.
inline int32_t largest_lane(__m256i v) {
  __m128i m = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  m = _mm_max_epi32(m, _mm_shuffle_epi32(m, _MM_SHUFFLE(1, 0, 3, 2)));
  m = _mm_max_epi32(m, _mm_shuffle_epi32(m, _MM_SHUFFLE(2, 3, 0, 1)));
  return _mm_cvtsi128_si32(m);
}

// What makes the largest of these magnitudes `limit`; see portable/quantize.cpp for why they are bits.
inline float scale_for(__m256i magnitudes, float limit) {
  constexpr int32_t kInfinityBits = 0x7f800000;
  const int32_t bits = largest_lane(magnitudes);
  if (bits >= kInfinityBits) return __builtin_nanf("");
  const float scale = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(bits))) / limit;
  return scale < 1.17549435e-38f ? 0.0f : scale;  // the smallest normal float
}

inline float group_scale(const __m256 (&x)[4]) {
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256i largest = _mm256_setzero_si256();
  for (const __m256 part : x)
    largest = _mm256_max_epi32(largest, _mm256_and_si256(_mm256_castps_si256(part), magnitude));
  return scale_for(largest, 127.0f);
}

// 32 floats to bytes, rounded to nearest even.
inline __m256i quantize_group(const __m256 (&x)[4], float scale) {
  const __m256 divisor = _mm256_set1_ps(scale);
  __m256i part[4];
  for (int i = 0; i < 4; ++i) part[i] = _mm256_cvtps_epi32(_mm256_div_ps(x[i], divisor));
  // Packing works within 128-bit halves and leaves the eight quadruples in the order 0 2 4 6 1 3 5 7.
  const __m256i bytes =
      _mm256_packs_epi16(_mm256_packs_epi32(part[0], part[1]), _mm256_packs_epi32(part[2], part[3]));
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

void quantize_row(const float* x, int64_t cols, int8_t* q, float* scale, int32_t* sum16) {
  for (int64_t g = 0; g < cols / kGroup; ++g) {
    __m256 group[4];
    for (int i = 0; i < 4; ++i) group[i] = _mm256_loadu_ps(x + g * kGroup + 8 * i);
    scale[g] = group_scale(group);
    __m256i bytes = _mm256_setzero_si256();
    if (scale[g] > 0.0f) bytes = quantize_group(group, scale[g]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(q + g * kGroup), bytes);
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
    const __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    const __m256i eights = _mm256_add_epi32(fours, _mm256_shuffle_epi32(fours, _MM_SHUFFLE(1, 0, 3, 2)));
    const __m256i sums = _mm256_add_epi32(eights, _mm256_shuffle_epi32(eights, _MM_SHUFFLE(2, 3, 0, 1)));
    sum16[2 * g] = _mm256_extract_epi32(sums, 0);
    sum16[2 * g + 1] = _mm256_extract_epi32(sums, 4);
  }
}

void rms_norm_row(const float* x, const float* weight, int64_t cols, float epsilon, float* out) {
  const __m256i tail = lanes_below(cols % 8);
  const int64_t whole = cols - cols % 8;
  __m256 squares = _mm256_setzero_ps();
  for (int64_t i = 0; i < whole; i += 8) {
    const __m256 v = _mm256_loadu_ps(x + i);
    squares = _mm256_fmadd_ps(v, v, squares);
  }
  const __m256 last = _mm256_maskload_ps(x + whole, tail);
  squares = _mm256_fmadd_ps(last, last, squares);
  const float mean_square = fold_lanes(squares) / static_cast<float>(cols);
  const float factor = 1.0f / _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(mean_square + epsilon)));
  const __m256 factors = _mm256_set1_ps(factor);
  for (int64_t i = 0; i < whole; i += 8) {
    const __m256 v = _mm256_mul_ps(_mm256_loadu_ps(x + i), factors);
    _mm256_storeu_ps(out + i, _mm256_mul_ps(v, _mm256_loadu_ps(weight + i)));
  }
  const __m256 v = _mm256_mul_ps(last, factors);
  _mm256_maskstore_ps(out + whole, tail, _mm256_mul_ps(v, _mm256_maskload_ps(weight + whole, tail)));
}

inline __m256 silu_times(__m256 gate, __m256 up) {
  const __m256 one = _mm256_set1_ps(1.0f);
  const __m256 minus_gate = _mm256_xor_ps(gate, _mm256_set1_ps(-0.0f));
  return _mm256_mul_ps(_mm256_div_ps(gate, _mm256_add_ps(one, exp8(minus_gate))), up);
}

void silu_mul(const float* gate, const float* up, int64_t count, float* out) {
  const int64_t whole = count - count % 8;
  for (int64_t i = 0; i < whole; i += 8)
    _mm256_storeu_ps(out + i, silu_times(_mm256_loadu_ps(gate + i), _mm256_loadu_ps(up + i)));
  const __m256i tail = lanes_below(count % 8);
  const __m256 last =
      silu_times(_mm256_maskload_ps(gate + whole, tail), _mm256_maskload_ps(up + whole, tail));
  _mm256_maskstore_ps(out + whole, tail, last);
}

// One step of the transform within a register: each lane and its partner become their sum and difference.
inline __m256 add_partners(__m256 x, __m256 partners, __m256 minus) {
  return _mm256_add_ps(_mm256_xor_ps(x, minus), partners);
}

void rotate_row(float* x, int64_t count) {
  const float factor = 1.0f / _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(static_cast<float>(count))));
  const __m256 every_1 = _mm256_setr_ps(0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f);
  const __m256 every_2 = _mm256_setr_ps(0.0f, 0.0f, -0.0f, -0.0f, 0.0f, 0.0f, -0.0f, -0.0f);
  const __m256 every_4 = _mm256_setr_ps(0.0f, 0.0f, 0.0f, 0.0f, -0.0f, -0.0f, -0.0f, -0.0f);
  for (int64_t i = 0; i < count; i += 8) {
    __m256 part = _mm256_loadu_ps(x + i);
    part = add_partners(part, _mm256_permute_ps(part, _MM_SHUFFLE(2, 3, 0, 1)), every_1);
    part = add_partners(part, _mm256_permute_ps(part, _MM_SHUFFLE(1, 0, 3, 2)), every_2);
    part = add_partners(part, _mm256_permute2f128_ps(part, part, 1), every_4);
    _mm256_storeu_ps(x + i, part);
  }
  for (int64_t step = 8; step < count; step *= 2) {
    for (int64_t block = 0; block < count; block += 2 * step) {
      for (int64_t i = block; i < block + step; i += 8) {
        const __m256 a = _mm256_loadu_ps(x + i);
        const __m256 b = _mm256_loadu_ps(x + i + step);
        _mm256_storeu_ps(x + i, _mm256_add_ps(a, b));
        _mm256_storeu_ps(x + i + step, _mm256_sub_ps(a, b));
      }
    }
  }
  for (int64_t i = 0; i < count; i += 8)
    _mm256_storeu_ps(x + i, _mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(factor)));
}

float round_row(const float* x, int64_t count, int limit, int16_t* q) {
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  const __m256i tail = lanes_below(count % 8);
  const int64_t whole = count - count % 8;
  __m256i largest = _mm256_setzero_si256();
  for (int64_t i = 0; i < count; i += 8) {
    const __m256 part = i < whole ? _mm256_loadu_ps(x + i) : _mm256_maskload_ps(x + i, tail);
    largest = _mm256_max_epi32(largest, _mm256_and_si256(_mm256_castps_si256(part), magnitude));
  }
  const float scale = scale_for(largest, static_cast<float>(limit));
  int64_t i = 0;
  if (scale > 0.0f) {
    const float inverse = 1.0f / scale;
    for (; i < whole; i += 8) {
      const __m256i rounded =
          _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(inverse)));
      const __m128i words =
          _mm_packs_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(q + i), words);
    }
    for (; i < count; ++i) q[i] = static_cast<int16_t>(_mm_cvtss_si32(_mm_set_ss(x[i] * inverse)));
  }
  for (; i < count; ++i) q[i] = 0;
  return scale;
}

}  // namespace

void install_avx2_rows(KernelTable& table) {
  table.quantize_row = quantize_row;
  table.rotate_row = rotate_row;
  table.round_row = round_row;
  table.rms_norm_row = rms_norm_row;
  table.silu_mul = silu_mul;
}

}  // namespace ink
