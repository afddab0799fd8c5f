// Panels of integer weights with AVX2: the same bits as portable/integer_panels.cpp.
//
// The multiplier at hand (maddubs) takes unsigned times signed bytes and adds pairs into 16 bits, saturating.
// So int8 weights give their sign to the activations: |w| * (sign(w) x). |w| may be 128 and |x| at most 127:
// a pair is at most 2 * 128 * 127 = 32512 and fits, two pairs would not and are widened first. Nibbles are
// unsigned already: a pair is at most 2 * 15 * 127, and the eight steps of a group add up to 30480 before
// they need widening.
//
// Up to four rows of x share each load of weights, and both halves of a panel (8 outputs each) share each
// column of x: eight integer sums in registers. The float sums, touched once a group, are left to the stack.
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

// Ends a step of the sums in `value`. Without it gcc 12 regroups the additions of all steps of a group and
// spends more time on spilled registers than on products (int4: 108 instead of 180 GOP/s).
template <int kRows>
inline void finish_step(__m256i (&value)[kRows][2]) {
  for (auto& row : value) asm("" : "+x"(row[0]), "+x"(row[1])::"memory");
}

inline __m256 scaled(__m256 scale, __m256i dot) { return _mm256_mul_ps(scale, _mm256_cvtepi32_ps(dot)); }

// dot[r][i] += weights [steps][16][4] times 4 * kSteps columns of x from `col` on; i is the half of the
// panel.
template <int kSteps, int kRows>
inline void add_int8_dots(const Rows& x, int64_t col, const int8_t* weights, __m256i (&dot)[kRows][2]) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (int j = 0; j < kSteps; ++j) {
    const __m256i left = load_bytes(weights + j * kPanelRows * 4);
    const __m256i right = load_bytes(weights + (j * kPanelRows + kHalf) * 4);
    const __m256i left_magnitude = _mm256_abs_epi8(left);
    const __m256i right_magnitude = _mm256_abs_epi8(right);
    for (int r = 0; r < kRows; ++r) {
      const __m256i columns = x.columns(r, col + 4 * j);
      const __m256i left_pairs = _mm256_maddubs_epi16(left_magnitude, _mm256_sign_epi8(columns, left));
      dot[r][0] = _mm256_add_epi32(dot[r][0], _mm256_madd_epi16(left_pairs, ones));
      const __m256i right_pairs = _mm256_maddubs_epi16(right_magnitude, _mm256_sign_epi8(columns, right));
      dot[r][1] = _mm256_add_epi32(dot[r][1], _mm256_madd_epi16(right_pairs, ones));
    }
    finish_step(dot);
  }
}

// Each class: the bytes and scales of one group, and sum[r][i] += what one group adds.
struct Int8 {
  static constexpr int64_t kGroupBytes = kGroup * kPanelRows;
  static constexpr int64_t kGroupScales = kPanelRows;

  template <int kRows>
  static void add_group(const Rows& x, int64_t group, const int8_t* weights, const float* scales,
                        __m256 (&sum)[kRows][2]) {
    __m256i dot[kRows][2] = {};
    add_int8_dots<8>(x, group * kGroup, weights, dot);
    for (int r = 0; r < kRows; ++r) {
      const __m256 x_scale = x.group_scale(r, group);
      for (int i = 0; i < 2; ++i) {
        const __m256 scale = _mm256_mul_ps(_mm256_loadu_ps(scales + i * kHalf), x_scale);
        sum[r][i] = _mm256_add_ps(sum[r][i], scaled(scale, dot[r][i]));
      }
    }
  }
};

struct Int8Fine {
  static constexpr int64_t kGroupBytes = kGroup * kPanelRows;
  static constexpr int64_t kGroupScales = 4 * kPanelRows;

  template <int kRows>
  static void add_group(const Rows& x, int64_t group, const int8_t* weights, const float* scales,
                        __m256 (&sum)[kRows][2]) {
    __m256i first[kRows][2] = {};
    add_int8_dots<4>(x, group * kGroup, weights, first);
    __m256 value[kRows][2];
    for (int r = 0; r < kRows; ++r) {
      const __m256 x_sum = x.half_sum(r, 2 * group);
      for (int i = 0; i < 2; ++i) {
        const float* scale = scales + i * kHalf;
        const __m256 offset = _mm256_mul_ps(_mm256_loadu_ps(scale + 2 * kPanelRows), x_sum);
        value[r][i] = _mm256_add_ps(scaled(_mm256_loadu_ps(scale), first[r][i]), offset);
      }
    }
    __m256i second[kRows][2] = {};
    add_int8_dots<4>(x, group * kGroup + kGroup / 2, weights + kGroupBytes / 2, second);
    for (int r = 0; r < kRows; ++r) {
      const __m256 x_sum = x.half_sum(r, 2 * group + 1);
      const __m256 x_scale = x.group_scale(r, group);
      for (int i = 0; i < 2; ++i) {
        const float* scale = scales + kPanelRows + i * kHalf;
        const __m256 offset = _mm256_mul_ps(_mm256_loadu_ps(scale + 2 * kPanelRows), x_sum);
        const __m256 most = _mm256_add_ps(value[r][i], scaled(_mm256_loadu_ps(scale), second[r][i]));
        sum[r][i] = _mm256_add_ps(sum[r][i], _mm256_mul_ps(x_scale, _mm256_add_ps(most, offset)));
      }
    }
  }
};

struct Int4 {
  static constexpr int64_t kGroupBytes = kGroup / 2 * kPanelRows;
  static constexpr int64_t kGroupScales = 2 * kPanelRows;

  template <int kRows>
  static void add_products(const Rows& x, int64_t col, __m256i left, __m256i right,
                           __m256i (&pairs)[kRows][2]) {
    for (int r = 0; r < kRows; ++r) {
      const __m256i columns = x.columns(r, col);
      pairs[r][0] = _mm256_add_epi16(pairs[r][0], _mm256_maddubs_epi16(left, columns));
      pairs[r][1] = _mm256_add_epi16(pairs[r][1], _mm256_maddubs_epi16(right, columns));
    }
    finish_step(pairs);
  }

  template <int kRows>
  static void add_group(const Rows& x, int64_t group, const int8_t* weights, const float* scales,
                        __m256 (&sum)[kRows][2]) {
    const __m256i low_half = _mm256_set1_epi8(15);
    __m256i pairs[kRows][2] = {};
    for (int j = 0; j < 4; ++j) {
      const __m256i left = load_bytes(weights + j * kPanelRows * 4);
      const __m256i right = load_bytes(weights + (j * kPanelRows + kHalf) * 4);
      const int64_t col = group * kGroup + 4 * j;
      add_products(x, col, _mm256_and_si256(left, low_half), _mm256_and_si256(right, low_half), pairs);
      add_products(x, col + 16, _mm256_and_si256(_mm256_srli_epi16(left, 4), low_half),
                   _mm256_and_si256(_mm256_srli_epi16(right, 4), low_half), pairs);
    }
    for (int r = 0; r < kRows; ++r) {
      const __m256 x_sum = x.group_sum(r, group);
      const __m256 x_scale = x.group_scale(r, group);
      for (int i = 0; i < 2; ++i) {
        const float* scale = scales + i * kHalf;
        const __m256 offset = _mm256_mul_ps(_mm256_loadu_ps(scale + kPanelRows), x_sum);
        const __m256i dot = _mm256_madd_epi16(pairs[r][i], _mm256_set1_epi16(1));
        const __m256 value = _mm256_add_ps(scaled(_mm256_loadu_ps(scale), dot), offset);
        sum[r][i] = _mm256_add_ps(sum[r][i], _mm256_mul_ps(x_scale, value));
      }
    }
  }
};

template <typename Class, int kRows>
void multiply(const Rows& x, const int8_t* weights, const float* scales, float* out) {
  __m256 sum[kRows][2] = {};
  for (int64_t g = 0; g < x.groups; ++g) {
    Class::add_group(x, g, weights, scales, sum);
    weights += Class::kGroupBytes;
    scales += Class::kGroupScales;
  }
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i < 2; ++i) _mm256_storeu_ps(out + r * kPanelRows + i * kHalf, sum[r][i]);
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
