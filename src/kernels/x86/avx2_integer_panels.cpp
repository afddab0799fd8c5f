// Panels of integer weights with AVX2: the same bits as portable/integer_panels.cpp.
//
// The multiplier at hand (maddubs) takes unsigned times signed bytes and adds pairs into 16 bits, saturating.
// Nibbles and six-bit numbers are unsigned, and what they are too large by is subtracted by way of the sum of
// x: a pair is at most 2 * 15 * 127, so that the eight steps of a group of nibbles add up to 30480 before
// they need widening, or 2 * 63 * 127, of which two fit. Bytes give their sign to the activations: |w| *
// (sign(w) x). |w| may be 128 and |x| at most 127: a pair is at most 2 * 128 * 127 = 32512 and fits, two
// pairs would not and are widened first.
#include "kernels/x86/avx2_panels.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

// Ends a step of the sums in `value`. Without it gcc 12 regroups the additions of all steps of a group and
// spends more time on spilled registers than on products (int4: 108 instead of 180 GOP/s).
template <int kRows>
inline void finish_step(__m256i (&value)[kRows][2]) {
  for (auto& row : value) asm("" : "+x"(row[0]), "+x"(row[1])::"memory");
}

// 16-bit sums of pairs to 32 bits.
inline __m256i widened(__m256i pairs) { return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)); }

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

}  // namespace

void install_avx2_integer_panels(KernelTable& table) {
  install_panels<Nibbles, SignedNibbles, SixBits, Bytes>(table);
}

}  // namespace ink
