// What the integer panels of AVX2 and of AVX2 with VNNI share: rows of x and the loop over
// groups with the float operations that kernel_table.h states. They differ in how a group's dot products are
// made: the `Weights` of panel(). Everything is static: see avx2_vectors.h.
//
// Up to four rows of x share each load of weights, and both halves of a panel (8 outputs each) share each
// column of x: eight integer sums in registers. The float sums, touched once a group, are left to the stack.
#pragma once

#include "kernels/x86/avx2_scales.h"
#include "kernels/x86/fetch.h"

namespace ink {
namespace {

// Rows of x from the first of a pass on.
struct Rows {
  const int8_t* q;
  const float* scale;
  const int32_t* sum16;
  int64_t cols;
  int64_t groups;

  static Rows from(const QuantizedRows& x, int64_t first) {
    const int64_t groups = x.cols / kGroup;
    return {x.q + first * x.cols, x.scale + first * groups, x.sum16 + first * groups * 2, x.cols, groups};
  }

  // Four bytes of q from column `col` on, repeated.
  __m256i columns(int64_t row, int64_t col) const {
    int32_t bytes;
    __builtin_memcpy(&bytes, q + row * cols + col, sizeof bytes);
    return _mm256_set1_epi32(bytes);
  }
  __m256 group_scale(int64_t row, int64_t group) const {
    return _mm256_broadcast_ss(scale + row * groups + group);
  }
  // The sum of q over 16 columns, or over a group.
  int32_t half_sum(int64_t row, int64_t group, int half) const {
    return sum16[(row * groups + group) * 2 + half];
  }
  int32_t group_sum(int64_t row, int64_t group) const {
    return half_sum(row, group, 0) + half_sum(row, group, 1);
  }
};

// kParts sums of products of a group, each of eight outputs: of the whole group or of its halves.
template <int kParts, int kRows>
struct Dots {
  __m256i value[kParts][kRows][2];
};

inline __m256i load_bytes(const void* bytes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

inline void store_bytes(void* bytes, __m256i value) {
  _mm256_storeu_si256(static_cast<__m256i*>(bytes), value);
}

// Rows of one pass. Fewer are bound by memory, and fetch.
inline constexpr int kMostRows = 4;

// sum += what one group, whose weights and scales come next, adds.
template <typename Weights, typename Scales, int kRows>
inline void add_group(const Rows& x, int64_t g, const uint8_t* weights, Scales& reader,
                      __m256 (&sum)[kRows][2]) {
  if (kRows < kMostRows) fetch_ahead<Weights::kGroupBytes>(weights);
  Dots<Scales::kParts, kRows> dot;
  Weights::dots(x, g, weights, dot);
  GroupScales<Scales::kParts> scales;
  reader.next(scales);
  for (int r = 0; r < kRows; ++r) {
    const __m256 x_scale = x.group_scale(r, g);
    for (int i = 0; i < 2; ++i) {
      __m256 value = _mm256_setzero_ps();
      for (int part = 0; part < Scales::kParts; ++part) {
        const __m256 product =
            _mm256_mul_ps(scales.scale[part][i], _mm256_cvtepi32_ps(dot.value[part][r][i]));
        value = part == 0 ? product : _mm256_add_ps(value, product);
        if (Scales::kOffsets) {
          const int32_t x_sum = Scales::kParts == 1 ? x.group_sum(r, g) : x.half_sum(r, g, part);
          const __m256 x_sums = _mm256_set1_ps(static_cast<float>(x_sum));
          value = _mm256_add_ps(value, _mm256_mul_ps(scales.offset[part][i], x_sums));
        }
      }
      sum[r][i] = _mm256_add_ps(sum[r][i], _mm256_mul_ps(x_scale, value));
    }
  }
}

// Not inlined: in the loop over the rows gcc 12 spills what belongs into registers.
template <typename Weights, typename Scales, int kRows>
[[gnu::noinline]] void multiply(const Rows& x, const uint8_t* weights, const uint8_t* plane, float* out) {
  __m256 sum[kRows][2] = {};
  Scales reader(plane, 0);
  for (int64_t g = 0; g < x.groups; ++g)
    add_group<Weights, Scales, kRows>(x, g, weights + g * Weights::kGroupBytes, reader, sum);
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i < 2; ++i) _mm256_storeu_ps(out + r * kPanelRows + i * kHalf, sum[r][i]);
  }
}

template <typename Weights, typename Scales>
void panel(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* data, const void* scales,
           float* out) {
  const auto* weights = static_cast<const uint8_t*>(data);
  const auto* plane = static_cast<const uint8_t*>(scales);
  for (int64_t r = 0; r < rows; r += kMostRows) {
    const Rows pass = Rows::from(x, first_row + r);
    float* pass_out = out + r * kPanelRows;
    run_pass<kMostRows>(
        rows - r, [&]<int kRows>() { multiply<Weights, Scales, kRows>(pass, weights, plane, pass_out); });
  }
}

template <typename Weights, typename Scales>
void two_panels(const QuantizedRows& x, const RowByPanel& a, const RowByPanel& b) {
  const RowByPanel* both[2] = {&a, &b};
  const Rows rows[2] = {Rows::from(x, a.row), Rows::from(x, b.row)};
  const uint8_t* weights[2];
  for (int i = 0; i < 2; ++i) weights[i] = static_cast<const uint8_t*>(both[i]->panel);
  Scales readers[2] = {{static_cast<const uint8_t*>(a.scales), 0},
                       {static_cast<const uint8_t*>(b.scales), 0}};
  __m256 sum[2][1][2] = {};
  for (int64_t g = 0; g < rows[0].groups; ++g) {
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i)
      add_group<Weights, Scales, 1>(rows[i], g, weights[i] + g * Weights::kGroupBytes, readers[i], sum[i]);
  }
  for (int i = 0; i < 2; ++i) {
    _mm256_storeu_ps(both[i]->out, sum[i][0][0]);
    _mm256_storeu_ps(both[i]->out + kHalf, sum[i][0][1]);
  }
}

template <typename Weights, typename Scales>
void install_panel(KernelTable& table, WeightClass weight_class) {
  table.integer_panel(weight_class) = panel<Weights, Scales>;
  table.two_panels(weight_class) = two_panels<Weights, Scales>;
}

// Fills in all integer classes of a table from the four ways of holding weights.
template <typename Nibbles, typename SignedNibbles, typename SixBits, typename Bytes>
void install_panels(KernelTable& table) {
  install_panel<Nibbles, FloatScales<1, true>>(table, WeightClass::kInt4);
  install_panel<SignedNibbles, HalfScales>(table, WeightClass::kInt4Half);
  install_panel<Nibbles, SuperScalesWithMinima>(table, WeightClass::kInt4Super);
  install_panel<SixBits, SuperScales>(table, WeightClass::kInt6Super);
  install_panel<Bytes, FloatScales<1, false>>(table, WeightClass::kInt8);
  install_panel<Bytes, HalfScales>(table, WeightClass::kInt8Half);
  install_panel<Bytes, FloatScales<2, true>>(table, WeightClass::kInt8Fine);
}

}  // namespace
}  // namespace ink
