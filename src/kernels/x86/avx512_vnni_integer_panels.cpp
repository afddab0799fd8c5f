// Panels of integer weights with AVX-512 and VNNI: the same bits as portable/integer_panels.cpp. One register
// holds four columns of all 16 rows of a panel. dpbusd multiplies unsigned by signed bytes and adds four
// products to a 32-bit sum, so that nothing can overflow on the way; what the unsigned weights are too large
// by is taken off through the sum of x. Eight rows of x share each load of weights: eight integer and eight
// float sums of the 32 registers. Everything is static: see avx2_vectors.h.
#include <immintrin.h>

#include "kernels/kernel_table.h"
#include "kernels/x86/fetch.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

// Rows of one pass. Fewer are bound by memory, and fetch.
constexpr int kMostRows = 8;

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
  __m512i columns(int64_t row, int64_t col) const {
    int32_t bytes;
    __builtin_memcpy(&bytes, q + row * cols + col, sizeof bytes);
    return _mm512_set1_epi32(bytes);
  }
  __m512 group_scale(int64_t row, int64_t group) const { return _mm512_set1_ps(scale[row * groups + group]); }
  // The sum of q over a group, or over one of its halves.
  template <int kParts>
  int32_t sum(int64_t row, int64_t group, int part) const {
    const int32_t* halves = sum16 + (row * groups + group) * 2;
    return kParts == 1 ? halves[0] + halves[1] : halves[part];
  }
};

inline __m512i load_bytes(const uint8_t* bytes) { return _mm512_loadu_si512(bytes); }

// Weights: kZero is what their bytes are too large by; step(j) gives those of columns 4j to 4j + 3 of a
// group.

template <int kExcess>
struct Nibbles {
  static constexpr int64_t kGroupBytes = kGroup / 2 * kPanelRows;
  static constexpr int32_t kZero = kExcess;
  static __m512i step(const uint8_t* weights, int j) {
    const __m512i both = load_bytes(weights + j % 4 * kPanelRows * 4);
    return _mm512_and_si512(j < 4 ? both : _mm512_srli_epi16(both, 4), _mm512_set1_epi8(15));
  }
};

struct SixBits {
  static constexpr int64_t kGroupBytes = (kGroup / 2 + kGroup / 4) * kPanelRows;
  static constexpr int32_t kZero = 32;
  static __m512i step(const uint8_t* weights, int j) {
    const __m512i low = Nibbles<0>::step(weights, j);
    const __m512i bits = load_bytes(weights + kGroup / 2 * kPanelRows + j % 2 * kPanelRows * 4);
    const unsigned shift = static_cast<unsigned>(j / 2 * 2);
    const __m512i placed =
        shift <= 4 ? _mm512_slli_epi16(bits, 4 - shift) : _mm512_srli_epi16(bits, shift - 4);
    return _mm512_or_si512(low, _mm512_and_si512(placed, _mm512_set1_epi8(48)));
  }
};

struct Bytes {
  static constexpr int64_t kGroupBytes = kGroup * kPanelRows;
  static constexpr int32_t kZero = 128;
  static __m512i step(const uint8_t* weights, int j) {
    return _mm512_xor_si512(load_bytes(weights + j * kPanelRows * 4), _mm512_set1_epi8(-128));
  }
};

// Scale planes: for one group, scales and offsets of all rows of a panel.

template <int kParts>
struct GroupScales {
  __m512 scale[kParts];
  __m512 offset[kParts];
};

inline __m512 f16_to_floats(const uint8_t* halves) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
}
inline __m128i load_small(const uint8_t* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

template <int kPartCount, bool kHasOffsets>
struct FloatScales {
  static constexpr int kParts = kPartCount;
  static constexpr bool kOffsets = kHasOffsets;
  static void read(const uint8_t* plane, int64_t group, GroupScales<kParts>& out) {
    const float* scales =
        reinterpret_cast<const float*>(plane) + group * kParts * (kOffsets ? 2 : 1) * kPanelRows;
    for (int part = 0; part < kParts; ++part) {
      out.scale[part] = _mm512_loadu_ps(scales + part * kPanelRows);
      if (kOffsets) out.offset[part] = _mm512_loadu_ps(scales + (kParts + part) * kPanelRows);
    }
  }
};

struct HalfScales {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = false;
  static void read(const uint8_t* plane, int64_t group, GroupScales<1>& out) {
    out.scale[0] = f16_to_floats(plane + group * kPanelRows * 2);
  }
};

// One scale and one minimum for each group under an f16 for eight groups.
struct SuperScalesWithMinima {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = true;
  static void read(const uint8_t* plane, int64_t group, GroupScales<1>& out) {
    const uint8_t* super = plane + group / kGroupsInSuper * (4 + 2 * kGroupsInSuper) * kPanelRows;
    const uint8_t* small = super + (4 + 2 * (group % kGroupsInSuper)) * kPanelRows;
    const __m512 scale = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(load_small(small)));
    const __m512 minimum = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(load_small(small + kPanelRows)));
    out.scale[0] = _mm512_mul_ps(f16_to_floats(super), scale);
    out.offset[0] =
        _mm512_xor_ps(_mm512_mul_ps(f16_to_floats(super + kPanelRows * 2), minimum), _mm512_set1_ps(-0.0f));
  }
};

// Two signed scales for each group under an f16 for eight groups.
struct SuperScales {
  static constexpr int kParts = 2;
  static constexpr bool kOffsets = false;
  static void read(const uint8_t* plane, int64_t group, GroupScales<2>& out) {
    const uint8_t* super = plane + group / kGroupsInSuper * (2 + 2 * kGroupsInSuper) * kPanelRows;
    const uint8_t* small = super + (2 + 2 * (group % kGroupsInSuper)) * kPanelRows;
    for (int part = 0; part < 2; ++part) {
      const __m512 scale = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load_small(small + part * kPanelRows)));
      out.scale[part] = _mm512_mul_ps(f16_to_floats(super), scale);
    }
  }
};

// sum[r] += what one group adds.
template <typename Weights, typename Scales, int kRows>
inline void add_group(const Rows& x, int64_t g, const uint8_t* weights, const uint8_t* plane,
                      __m512 (&sum)[kRows]) {
  constexpr int kParts = Scales::kParts;
  constexpr int kSteps = kGroup / 4 / kParts;
  __m512i dot[kParts][kRows];
#pragma GCC unroll 2
  for (int part = 0; part < kParts; ++part) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
      dot[part][r] = _mm512_set1_epi32(-Weights::kZero * x.template sum<kParts>(r, g, part));
#pragma GCC unroll 8
    for (int j = part * kSteps; j < (part + 1) * kSteps; ++j) {
      const __m512i weight = Weights::step(weights, j);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r)
        dot[part][r] = _mm512_dpbusd_epi32(dot[part][r], weight, x.columns(r, g * kGroup + 4 * j));
    }
  }
  GroupScales<kParts> scales;
  Scales::read(plane, g, scales);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    __m512 value = _mm512_setzero_ps();
#pragma GCC unroll 2
    for (int part = 0; part < kParts; ++part) {
      const __m512 product = _mm512_mul_ps(scales.scale[part], _mm512_cvtepi32_ps(dot[part][r]));
      value = part == 0 ? product : _mm512_add_ps(value, product);
      if (Scales::kOffsets) {
        const __m512 x_sum = _mm512_set1_ps(static_cast<float>(x.template sum<kParts>(r, g, part)));
        value = _mm512_add_ps(value, _mm512_mul_ps(scales.offset[part], x_sum));
      }
    }
    sum[r] = _mm512_add_ps(sum[r], _mm512_mul_ps(x.group_scale(r, g), value));
  }
}

template <typename Weights, typename Scales, int kRows>
void multiply(const Rows& x, const uint8_t* weights, const uint8_t* plane, float* out) {
  __m512 sum[kRows];
  for (int r = 0; r < kRows; ++r) sum[r] = _mm512_setzero_ps();
  for (int64_t g = 0; g < x.groups; ++g) {
    const uint8_t* group = weights + g * Weights::kGroupBytes;
    if (kRows < kMostRows) fetch_ahead<Weights::kGroupBytes>(group);
    add_group<Weights, Scales>(x, g, group, plane, sum);
  }
  for (int r = 0; r < kRows; ++r) _mm512_storeu_ps(out + r * kPanelRows, sum[r]);
}

// The last rows of a pass, fewer than kMostRows.
template <typename Weights, typename Scales, int kRows>
void multiply_rest(int64_t rows, const Rows& x, const uint8_t* weights, const uint8_t* plane, float* out) {
  if (rows == kRows) return multiply<Weights, Scales, kRows>(x, weights, plane, out);
  if constexpr (kRows > 1) multiply_rest<Weights, Scales, kRows - 1>(rows, x, weights, plane, out);
}

template <typename Weights, typename Scales>
void panel(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* data, const void* scales,
           float* out) {
  const auto* weights = static_cast<const uint8_t*>(data);
  const auto* plane = static_cast<const uint8_t*>(scales);
  for (int64_t r = 0; r < rows; r += kMostRows) {
    const Rows pass = Rows::from(x, first_row + r);
    const int64_t count = rows - r < kMostRows ? rows - r : kMostRows;
    multiply_rest<Weights, Scales, kMostRows>(count, pass, weights, plane, out + r * kPanelRows);
  }
}

template <typename Weights, typename Scales>
void two_panels(const QuantizedRows& x, const RowByPanel& a, const RowByPanel& b) {
  const RowByPanel* both[2] = {&a, &b};
  const Rows rows[2] = {Rows::from(x, a.row), Rows::from(x, b.row)};
  __m512 sum[2][1] = {{_mm512_setzero_ps()}, {_mm512_setzero_ps()}};
  for (int64_t g = 0; g < rows[0].groups; ++g) {
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const uint8_t* group = static_cast<const uint8_t*>(both[i]->panel) + g * Weights::kGroupBytes;
      fetch_ahead<Weights::kGroupBytes>(group);
      add_group<Weights, Scales>(rows[i], g, group, static_cast<const uint8_t*>(both[i]->scales), sum[i]);
    }
  }
  for (int i = 0; i < 2; ++i) _mm512_storeu_ps(both[i]->out, sum[i][0]);
}

template <typename Weights, typename Scales>
void install_panel(KernelTable& table, WeightClass weight_class) {
  table.integer_panel(weight_class) = panel<Weights, Scales>;
  table.two_panels(weight_class) = two_panels<Weights, Scales>;
}

}  // namespace

void install_avx512_vnni_integer_panels(KernelTable& table) {
  install_panel<Nibbles<0>, FloatScales<1, true>>(table, WeightClass::kInt4);
  install_panel<Nibbles<8>, HalfScales>(table, WeightClass::kInt4Half);
  install_panel<Nibbles<0>, SuperScalesWithMinima>(table, WeightClass::kInt4Super);
  install_panel<SixBits, SuperScales>(table, WeightClass::kInt6Super);
  install_panel<Bytes, FloatScales<1, false>>(table, WeightClass::kInt8);
  install_panel<Bytes, HalfScales>(table, WeightClass::kInt8Half);
  install_panel<Bytes, FloatScales<2, true>>(table, WeightClass::kInt8Fine);
}

}  // namespace ink
