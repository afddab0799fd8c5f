// Panels of integer weights with AVX2: the same bits as portable/integer_panels.cpp.
//
// The multiplier at hand (maddubs) takes unsigned times signed bytes and adds pairs into 16 bits, saturating.
// Nibbles and six-bit numbers are unsigned, and what they are too large by is subtracted by way of the sum of
// x: a pair is at most 2 * 15 * 127, so that the eight steps of a group of nibbles add up to 30480 before
// they need widening, or 2 * 63 * 127, of which two fit. Bytes give their sign to the activations: |w| *
// (sign(w) x). |w| may be 128 and |x| at most 127: a pair is at most 2 * 128 * 127 = 32512 and fits, two
// pairs would not and are widened first.
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

// Ends a step of the sums in `value`. Without it gcc 12 regroups the additions of all steps of a group and
// spends more time on spilled registers than on products (int4: 108 instead of 180 GOP/s).
template <int kRows>
inline void finish_step(__m256i (&value)[kRows][2]) {
  for (auto& row : value) asm("" : "+x"(row[0]), "+x"(row[1])::"memory");
}

// 16-bit sums of pairs to 32 bits, less `excess` times the sum of x.
inline __m256i widened(__m256i pairs) { return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)); }

// Weights: how a class holds them. kZero is what their bytes are too large by.

struct Nibbles {
  static constexpr int64_t kGroupBytes = kGroup / 2 * kPanelRows;

  template <int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<1, kRows>& out) {
    const __m256i low_half = _mm256_set1_epi8(15);
    __m256i pairs[kRows][2] = {};
    for (int j = 0; j < 4; ++j) {
      const __m256i left = load_bytes(weights + j * kPanelRows * 4);
      const __m256i right = load_bytes(weights + (j * kPanelRows + kHalf) * 4);
      const int64_t col = group * kGroup + 4 * j;
      add(x, col, _mm256_and_si256(left, low_half), _mm256_and_si256(right, low_half), pairs);
      add(x, col + 16, _mm256_and_si256(_mm256_srli_epi16(left, 4), low_half),
          _mm256_and_si256(_mm256_srli_epi16(right, 4), low_half), pairs);
    }
    for (int r = 0; r < kRows; ++r) {
      for (int i = 0; i < 2; ++i) out.value[0][r][i] = widened(pairs[r][i]);
    }
  }

  template <int kRows>
  static void add(const Rows& x, int64_t col, __m256i left, __m256i right, __m256i (&pairs)[kRows][2]) {
    for (int r = 0; r < kRows; ++r) {
      const __m256i columns = x.columns(r, col);
      pairs[r][0] = _mm256_add_epi16(pairs[r][0], _mm256_maddubs_epi16(left, columns));
      pairs[r][1] = _mm256_add_epi16(pairs[r][1], _mm256_maddubs_epi16(right, columns));
    }
    finish_step(pairs);
  }
};

// Nibbles that stand for q + 8.
struct SignedNibbles : Nibbles {
  template <int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<1, kRows>& out) {
    Nibbles::dots(x, group, weights, out);
    for (int r = 0; r < kRows; ++r) {
      const __m256i excess = _mm256_set1_epi32(8 * x.group_sum(r, group));
      for (int i = 0; i < 2; ++i) out.value[0][r][i] = _mm256_sub_epi32(out.value[0][r][i], excess);
    }
  }
};

// Six bits that stand for q + 32.
struct SixBits {
  static constexpr int64_t kGroupBytes = (kGroup / 2 + kGroup / 4) * kPanelRows;

  // Sixteen columns: four steps of nibbles with the high bits of two pairs of steps.
  template <int kPart, int kRows>
  static void half_dots(const Rows& x, int64_t group, const uint8_t* weights, __m256i (&out)[kRows][2]) {
    const uint8_t* high = weights + kGroup / 2 * kPanelRows;
    for (int r = 0; r < kRows; ++r) {
      const __m256i excess = _mm256_set1_epi32(-32 * x.half_sum(r, group, kPart));
      for (int i = 0; i < 2; ++i) out[r][i] = excess;
    }
    for (int pair = 0; pair < 2; ++pair) {
      __m256i pairs[kRows][2] = {};
      for (int step = 0; step < 2; ++step) {
        const int j = 2 * pair + step;
        __m256i weight[2];
        for (int i = 0; i < 2; ++i) {
          const int64_t place = (j * kPanelRows + i * kHalf) * 4;
          const __m256i nibbles = load_bytes(weights + place);
          const __m256i low = kPart == 0 ? nibbles : _mm256_srli_epi16(nibbles, 4);
          const __m256i bits = load_bytes(high + (step * kPanelRows + i * kHalf) * 4);
          const int shift = 2 * (2 * kPart + pair);
          const __m256i placed =
              shift <= 4 ? _mm256_slli_epi16(bits, 4 - shift) : _mm256_srli_epi16(bits, shift - 4);
          weight[i] = _mm256_or_si256(_mm256_and_si256(low, _mm256_set1_epi8(15)),
                                      _mm256_and_si256(placed, _mm256_set1_epi8(48)));
        }
        Nibbles::add(x, group * kGroup + 16 * kPart + 4 * j, weight[0], weight[1], pairs);
      }
      for (int r = 0; r < kRows; ++r) {
        for (int i = 0; i < 2; ++i) out[r][i] = _mm256_add_epi32(out[r][i], widened(pairs[r][i]));
      }
      finish_step(out);
    }
  }

  template <int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<2, kRows>& out) {
    half_dots<0>(x, group, weights, out.value[0]);
    half_dots<1>(x, group, weights, out.value[1]);
  }
};

struct Bytes {
  static constexpr int64_t kGroupBytes = kGroup * kPanelRows;

  template <int kParts, int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<kParts, kRows>& out) {
    constexpr int kSteps = kGroup / 4 / kParts;
    for (int part = 0; part < kParts; ++part) {
      auto& dot = out.value[part];
      for (int r = 0; r < kRows; ++r) dot[r][0] = dot[r][1] = _mm256_setzero_si256();
      for (int j = part * kSteps; j < (part + 1) * kSteps; ++j) {
        const __m256i left = load_bytes(weights + j * kPanelRows * 4);
        const __m256i right = load_bytes(weights + (j * kPanelRows + kHalf) * 4);
        const __m256i left_magnitude = _mm256_abs_epi8(left);
        const __m256i right_magnitude = _mm256_abs_epi8(right);
        for (int r = 0; r < kRows; ++r) {
          const __m256i columns = x.columns(r, group * kGroup + 4 * j);
          const __m256i left_pairs = _mm256_maddubs_epi16(left_magnitude, _mm256_sign_epi8(columns, left));
          dot[r][0] = _mm256_add_epi32(dot[r][0], widened(left_pairs));
          const __m256i right_pairs = _mm256_maddubs_epi16(right_magnitude, _mm256_sign_epi8(columns, right));
          dot[r][1] = _mm256_add_epi32(dot[r][1], widened(right_pairs));
        }
        finish_step(dot);
      }
    }
  }
};

// Scale planes: for one group, the scales and offsets of eight outputs a register, [part][half of the panel].

template <int kParts>
struct GroupScales {
  __m256 scale[kParts][2];
  __m256 offset[kParts][2];
};

inline __m256 f16_to_floats(const uint8_t* halves) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
}
inline __m256 bytes_to_floats(const uint8_t* bytes) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes))));
}
inline __m256 signed_bytes_to_floats(const uint8_t* bytes) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes))));
}

template <int kPartCount, bool kHasOffsets>
struct FloatScales {
  static constexpr int kParts = kPartCount;
  static constexpr bool kOffsets = kHasOffsets;
  static void read(const uint8_t* plane, int64_t group, GroupScales<kParts>& out) {
    const float* scales =
        reinterpret_cast<const float*>(plane) + group * kParts * (kOffsets ? 2 : 1) * kPanelRows;
    for (int part = 0; part < kParts; ++part) {
      for (int i = 0; i < 2; ++i) {
        out.scale[part][i] = _mm256_loadu_ps(scales + part * kPanelRows + i * kHalf);
        if (kOffsets)
          out.offset[part][i] = _mm256_loadu_ps(scales + (kParts + part) * kPanelRows + i * kHalf);
      }
    }
  }
};

struct HalfScales {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = false;
  static void read(const uint8_t* plane, int64_t group, GroupScales<1>& out) {
    for (int i = 0; i < 2; ++i) out.scale[0][i] = f16_to_floats(plane + (group * kPanelRows + i * kHalf) * 2);
  }
};

// One scale and one minimum for each group under an f16 for eight groups.
struct SuperScalesWithMinima {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = true;
  static void read(const uint8_t* plane, int64_t group, GroupScales<1>& out) {
    const uint8_t* super = plane + group / kGroupsInSuper * (4 + 2 * kGroupsInSuper) * kPanelRows;
    const uint8_t* small = super + (4 + 2 * (group % kGroupsInSuper)) * kPanelRows;
    const __m256 sign = _mm256_set1_ps(-0.0f);
    for (int i = 0; i < 2; ++i) {
      out.scale[0][i] =
          _mm256_mul_ps(f16_to_floats(super + i * kHalf * 2), bytes_to_floats(small + i * kHalf));
      const __m256 minimum = _mm256_mul_ps(f16_to_floats(super + (kPanelRows + i * kHalf) * 2),
                                           bytes_to_floats(small + kPanelRows + i * kHalf));
      out.offset[0][i] = _mm256_xor_ps(minimum, sign);
    }
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
      for (int i = 0; i < 2; ++i) {
        out.scale[part][i] = _mm256_mul_ps(f16_to_floats(super + i * kHalf * 2),
                                           signed_bytes_to_floats(small + part * kPanelRows + i * kHalf));
      }
    }
  }
};

template <typename Weights, typename Scales, int kRows>
void multiply(const Rows& x, const uint8_t* weights, const uint8_t* plane, float* out) {
  __m256 sum[kRows][2] = {};
  for (int64_t g = 0; g < x.groups; ++g) {
    Dots<Scales::kParts, kRows> dot;
    Weights::dots(x, g, weights + g * Weights::kGroupBytes, dot);
    GroupScales<Scales::kParts> scales;
    Scales::read(plane, g, scales);
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
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i < 2; ++i) _mm256_storeu_ps(out + r * kPanelRows + i * kHalf, sum[r][i]);
  }
}

template <typename Weights, typename Scales>
void panel(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* data, const void* scales,
           float* out) {
  const auto* weights = static_cast<const uint8_t*>(data);
  const auto* plane = static_cast<const uint8_t*>(scales);
  const int64_t groups = x.cols / kGroup;
  for (int64_t r = 0; r < rows; r += 4) {
    const int64_t row = first_row + r;
    const Rows pass = {x.q + row * x.cols, x.scale + row * groups, x.sum16 + row * groups * 2, x.cols,
                       groups};
    float* pass_out = out + r * kPanelRows;
    switch (rows - r) {
      case 1:
        multiply<Weights, Scales, 1>(pass, weights, plane, pass_out);
        break;
      case 2:
        multiply<Weights, Scales, 2>(pass, weights, plane, pass_out);
        break;
      case 3:
        multiply<Weights, Scales, 3>(pass, weights, plane, pass_out);
        break;
      default:
        multiply<Weights, Scales, 4>(pass, weights, plane, pass_out);
    }
  }
}

}  // namespace

void install_avx2_integer_panels(KernelTable& table) {
  table.integer_panel(WeightClass::kInt4) = panel<Nibbles, FloatScales<1, true>>;
  table.integer_panel(WeightClass::kInt4Half) = panel<SignedNibbles, HalfScales>;
  table.integer_panel(WeightClass::kInt4Super) = panel<Nibbles, SuperScalesWithMinima>;
  table.integer_panel(WeightClass::kInt6Super) = panel<SixBits, SuperScales>;
  table.integer_panel(WeightClass::kInt8) = panel<Bytes, FloatScales<1, false>>;
  table.integer_panel(WeightClass::kInt8Half) = panel<Bytes, HalfScales>;
  table.integer_panel(WeightClass::kInt8Fine) = panel<Bytes, FloatScales<2, true>>;
}

}  // namespace ink
