// Panels of integer weights with AVX2: the same bits as portable/integer_panels.cpp.
//
// The multiplier at hand (maddubs) takes unsigned times signed bytes and adds pairs into 16 bits, saturating.
// So int8 weights give their sign to the activations: |w| * (sign(w) x). |w| may be 128 and |x| at most 127:
// a pair is at most 2 * 128 * 127 = 32512 and fits, two pairs would not and are widened first. Nibbles are
// unsigned already: a pair is at most 2 * 15 * 127, and the eight steps of a group add up to 30480 before
// they need widening.
//
// Up to four rows of x share each load of weights. Left and right half of a panel (8 outputs each) are walked
// one after the other within a group: both at once would need more than the 16 registers there are.
#include "kernels/x86/avx2_vectors.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

constexpr int kHalf = kPanelRows / 2;  // outputs in one register

// Rows of x from the first of a pass on.
struct Rows {
  const int8_t* q;
  const float* scale;
  const int32_t* sum16;
  int64_t cols;
  int64_t groups;

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
  __m256 half_sum(int64_t row, int64_t half_group) const {
    return _mm256_set1_ps(static_cast<float>(sum16[row * groups * 2 + half_group]));
  }
  __m256 group_sum(int64_t row, int64_t group) const {
    const int32_t* halves = sum16 + (row * groups + group) * 2;
    return _mm256_set1_ps(static_cast<float>(halves[0] + halves[1]));
  }
};

inline __m256i load_bytes(const void* bytes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

inline __m256 scaled(__m256 scale, __m256i dot) { return _mm256_mul_ps(scale, _mm256_cvtepi32_ps(dot)); }

// dot[r] += weights [steps][16][4] of one half times 4 * kSteps columns of x from `col` on.
template <int kSteps, int kRows>
inline void add_int8_dots(const Rows& x, int64_t col, const int8_t* weights, __m256i (&dot)[kRows]) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (int j = 0; j < kSteps; ++j) {
    const __m256i weight = load_bytes(weights + j * kPanelRows * 4);
    const __m256i magnitude = _mm256_abs_epi8(weight);
    for (int r = 0; r < kRows; ++r) {
      const __m256i signed_x = _mm256_sign_epi8(x.columns(r, col + 4 * j), weight);
      const __m256i pairs = _mm256_maddubs_epi16(magnitude, signed_x);
      dot[r] = _mm256_add_epi32(dot[r], _mm256_madd_epi16(pairs, ones));
    }
  }
}

// Each class: the bytes and scales of one group, and sum[r] += what one group adds to one half of the
// outputs.
struct Int8 {
  static constexpr int64_t kGroupBytes = kGroup * kPanelRows;
  static constexpr int64_t kGroupScales = kPanelRows;

  template <int kRows>
  static void add_group(const Rows& x, int64_t group, const int8_t* weights, const float* scales,
                        __m256 (&sum)[kRows]) {
    __m256i dot[kRows] = {};
    add_int8_dots<8>(x, group * kGroup, weights, dot);
    const __m256 scale = _mm256_loadu_ps(scales);
    for (int r = 0; r < kRows; ++r)
      sum[r] = _mm256_add_ps(sum[r], scaled(_mm256_mul_ps(scale, x.group_scale(r, group)), dot[r]));
  }
};

struct Int8Fine {
  static constexpr int64_t kGroupBytes = kGroup * kPanelRows;
  static constexpr int64_t kGroupScales = 4 * kPanelRows;

  template <int kRows>
  static void add_group(const Rows& x, int64_t group, const int8_t* weights, const float* scales,
                        __m256 (&sum)[kRows]) {
    __m256i dot[kRows] = {};
    add_int8_dots<4>(x, group * kGroup, weights, dot);
    __m256 value[kRows];
    for (int r = 0; r < kRows; ++r) {
      const __m256 offset = _mm256_mul_ps(_mm256_loadu_ps(scales + 2 * kPanelRows), x.half_sum(r, 2 * group));
      value[r] = _mm256_add_ps(scaled(_mm256_loadu_ps(scales), dot[r]), offset);
      dot[r] = _mm256_setzero_si256();
    }
    add_int8_dots<4>(x, group * kGroup + kGroup / 2, weights + kGroupBytes / 2, dot);
    for (int r = 0; r < kRows; ++r) {
      value[r] = _mm256_add_ps(value[r], scaled(_mm256_loadu_ps(scales + kPanelRows), dot[r]));
      const __m256 offset =
          _mm256_mul_ps(_mm256_loadu_ps(scales + 3 * kPanelRows), x.half_sum(r, 2 * group + 1));
      value[r] = _mm256_add_ps(value[r], offset);
      sum[r] = _mm256_add_ps(sum[r], _mm256_mul_ps(x.group_scale(r, group), value[r]));
    }
  }
};

struct Int4 {
  static constexpr int64_t kGroupBytes = kGroup / 2 * kPanelRows;
  static constexpr int64_t kGroupScales = 2 * kPanelRows;

  template <int kRows>
  static void add_group(const Rows& x, int64_t group, const int8_t* weights, const float* scales,
                        __m256 (&sum)[kRows]) {
    const __m256i low_half = _mm256_set1_epi8(15);
    const int64_t col = group * kGroup;
    __m256i pairs[kRows] = {};
    for (int j = 0; j < 4; ++j) {
      const __m256i both = load_bytes(weights + j * kPanelRows * 4);
      const __m256i low = _mm256_and_si256(both, low_half);
      const __m256i high = _mm256_and_si256(_mm256_srli_epi16(both, 4), low_half);
      for (int r = 0; r < kRows; ++r) {
        pairs[r] = _mm256_add_epi16(pairs[r], _mm256_maddubs_epi16(low, x.columns(r, col + 4 * j)));
        pairs[r] = _mm256_add_epi16(pairs[r], _mm256_maddubs_epi16(high, x.columns(r, col + 16 + 4 * j)));
      }
    }
    const __m256 scale = _mm256_loadu_ps(scales);
    const __m256 offset = _mm256_loadu_ps(scales + kPanelRows);
    for (int r = 0; r < kRows; ++r) {
      const __m256i dot = _mm256_madd_epi16(pairs[r], _mm256_set1_epi16(1));
      const __m256 value = _mm256_add_ps(scaled(scale, dot), _mm256_mul_ps(offset, x.group_sum(r, group)));
      sum[r] = _mm256_add_ps(sum[r], _mm256_mul_ps(x.group_scale(r, group), value));
    }
  }
};

template <typename Class, int kRows>
void multiply(const Rows& x, const int8_t* weights, const float* scales, float* out) {
  __m256 left[kRows];
  __m256 right[kRows];
  for (int r = 0; r < kRows; ++r) left[r] = right[r] = _mm256_setzero_ps();
  for (int64_t g = 0; g < x.groups; ++g) {
    Class::add_group(x, g, weights, scales, left);
    Class::add_group(x, g, weights + kHalf * 4, scales + kHalf, right);
    weights += Class::kGroupBytes;
    scales += Class::kGroupScales;
  }
  for (int r = 0; r < kRows; ++r) {
    _mm256_storeu_ps(out + r * kPanelRows, left[r]);
    _mm256_storeu_ps(out + r * kPanelRows + kHalf, right[r]);
  }
}

template <typename Class>
void panel(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* data, const float* scales,
           float* out) {
  const auto* weights = static_cast<const int8_t*>(data);
  const int64_t groups = x.cols / kGroup;
  for (int64_t r = 0; r < rows; r += 4) {
    const int64_t row = first_row + r;
    const Rows pass = {x.q + row * x.cols, x.scale + row * groups, x.sum16 + row * groups * 2, x.cols,
                       groups};
    float* pass_out = out + r * kPanelRows;
    switch (rows - r) {
      case 1:
        multiply<Class, 1>(pass, weights, scales, pass_out);
        break;
      case 2:
        multiply<Class, 2>(pass, weights, scales, pass_out);
        break;
      case 3:
        multiply<Class, 3>(pass, weights, scales, pass_out);
        break;
      default:
        multiply<Class, 4>(pass, weights, scales, pass_out);
    }
  }
}

}  // namespace

void install_avx2_integer_panels(KernelTable& table) {
  table.panel_int8 = panel<Int8>;
  table.panel_int8_fine = panel<Int8Fine>;
  table.panel_int4 = panel<Int4>;
}

}  // namespace ink
