// Panels of integer weights with AVX2: the same bits as portable/integer_panels.cpp.
//
// The multiplier at hand (maddubs) takes unsigned times signed bytes and adds pairs into 16 bits, saturating.
// Nibbles and six-bit numbers are unsigned, and what they are too large by is subtracted by way of the sum of
// x: a pair is at most 2 * 15 * 127, so that the eight steps of a group of nibbles add up to 30480 before
// they need widening, or 2 * 63 * 127, of which two fit. Bytes give their sign to the activations: |w| *
// (sign(w) x). |w| may be 128 and |x| at most 127: a pair is at most 2 * 128 * 127 = 32512 and fits, two
// pairs would not and are widened first.
#include "kernels/x86/avx2_wide_panels.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

struct Nibbles {
  static constexpr int64_t kGroupBytes = kGroup / 2 * kPanelRows;
  static constexpr int kZero = 0;
  static constexpr int kStepsThatFit = 8;
  static constexpr int kRowsAtOnce = 4;

  static void widen(const uint8_t* weights, uint8_t* out) {
    const __m256i low_half = _mm256_set1_epi8(15);
    for (int64_t i = 0; i < kGroupBytes; i += 32) {
      const __m256i both = load_bytes(weights + i);
      store_bytes(out + i, _mm256_and_si256(both, low_half));
      store_bytes(out + kGroupBytes + i, _mm256_and_si256(_mm256_srli_epi16(both, 4), low_half));
    }
  }

  template <int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<1, kRows>& out) {
    const __m256i low_half = _mm256_set1_epi8(15);
    __m256i pairs[kRows][2] = {};
    for (int j = 0; j < 4; ++j) {
      const __m256i left = load_bytes(weights + j * kPanelRows * 4);
      const __m256i right = load_bytes(weights + (j * kPanelRows + kHalf) * 4);
      const int64_t col = group * kGroup + 4 * j;
      add_pairs(x, col, _mm256_and_si256(left, low_half), _mm256_and_si256(right, low_half), pairs);
      add_pairs(x, col + 16, _mm256_and_si256(_mm256_srli_epi16(left, 4), low_half),
                _mm256_and_si256(_mm256_srli_epi16(right, 4), low_half), pairs);
    }
    for (int r = 0; r < kRows; ++r) {
      for (int i = 0; i < 2; ++i) out.value[0][r][i] = widened(pairs[r][i]);
    }
  }
};

// Nibbles that stand for q + 8.
struct SignedNibbles : Nibbles {
  static constexpr int kZero = 8;

  template <int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<1, kRows>& out) {
    Nibbles::dots(x, group, weights, out);
    for (int r = 0; r < kRows; ++r) {
      const __m256i excess = _mm256_set1_epi32(kZero * x.group_sum(r, group));
      for (int i = 0; i < 2; ++i) out.value[0][r][i] = _mm256_sub_epi32(out.value[0][r][i], excess);
    }
  }
};

// Six bits that stand for q + 32.
struct SixBits {
  static constexpr int64_t kGroupBytes = (kGroup / 2 + kGroup / 4) * kPanelRows;
  static constexpr int kZero = 32;
  static constexpr int kStepsThatFit = 2;
  static constexpr int kRowsAtOnce = 3;  // with four, sums of 16 and of 32 bits do not fit the registers

  // Four columns of half a panel, of the first and of the second half of a group: those of step 2 * pair +
  // step. Both come from the same bytes, which are read once.
  static void unpack(const uint8_t* weights, int pair, int step, int i, __m256i& first, __m256i& second) {
    const __m256i low_half = _mm256_set1_epi8(15);
    const __m256i high_bits = _mm256_set1_epi8(48);
    const __m256i nibbles = load_bytes(weights + ((2 * pair + step) * kPanelRows + i * kHalf) * 4);
    const __m256i bits = load_bytes(weights + kGroup / 2 * kPanelRows + (step * kPanelRows + i * kHalf) * 4);
    const __m256i first_bits = _mm256_slli_epi16(bits, pair == 0 ? 4 : 2);
    const __m256i second_bits = pair == 0 ? bits : _mm256_srli_epi16(bits, 2);
    first = _mm256_or_si256(_mm256_and_si256(nibbles, low_half), _mm256_and_si256(first_bits, high_bits));
    second = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(nibbles, 4), low_half),
                             _mm256_and_si256(second_bits, high_bits));
  }

  static void widen(const uint8_t* weights, uint8_t* out) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      for (int i = 0; i < 2; ++i) {
        __m256i first, second;
        unpack(weights, j / 2, j % 2, i, first, second);
        uint8_t* place = out + (j * kPanelRows + i * kHalf) * 4;
        store_bytes(place, first);
        store_bytes(place + kGroup / 2 * kPanelRows, second);
      }
    }
  }

  // Halves kFirst .. kEnd - 1 of a group: four steps of nibbles with the high bits of two pairs of steps.
  template <int kFirst, int kEnd, int kRows>
  static void half_dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<2, kRows>& out) {
    for (int half = kFirst; half < kEnd; ++half) {
      for (int r = 0; r < kRows; ++r) {
        const __m256i excess = _mm256_set1_epi32(-kZero * x.half_sum(r, group, half));
        for (int i = 0; i < 2; ++i) out.value[half][r][i] = excess;
      }
    }
#pragma GCC unroll 2
    for (int pair = 0; pair < 2; ++pair) {
      __m256i pairs[2][kRows][2] = {};
#pragma GCC unroll 2
      for (int step = 0; step < 2; ++step) {
        __m256i weight[2][2];
#pragma GCC unroll 2
        for (int i = 0; i < 2; ++i) unpack(weights, pair, step, i, weight[0][i], weight[1][i]);
        const int64_t col = group * kGroup + 4 * (2 * pair + step);
#pragma GCC unroll 2
        for (int half = kFirst; half < kEnd; ++half)
          add_pairs(x, col + 16 * half, weight[half][0], weight[half][1], pairs[half]);
      }
#pragma GCC unroll 2
      for (int half = kFirst; half < kEnd; ++half) {
        auto& dot = out.value[half];
        for (int r = 0; r < kRows; ++r) {
          for (int i = 0; i < 2; ++i) dot[r][i] = _mm256_add_epi32(dot[r][i], widened(pairs[half][r][i]));
        }
        finish_step(dot);
      }
    }
  }

  // The sums of both halves fit the registers for one row only.
  template <int kRows>
  static void dots(const Rows& x, int64_t group, const uint8_t* weights, Dots<2, kRows>& out) {
    if constexpr (kRows == 1) return half_dots<0, 2>(x, group, weights, out);
    half_dots<0, 1>(x, group, weights, out);
    half_dots<1, 2>(x, group, weights, out);
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
  table.integer_panel(WeightClass::kInt4) = panel_of_any<Nibbles, FloatScales<1, true>>;
  table.integer_panel(WeightClass::kInt4Half) = panel_of_any<SignedNibbles, HalfScales>;
  table.integer_panel(WeightClass::kInt4Super) = panel_of_any<Nibbles, SuperScalesWithMinima>;
  table.integer_panel(WeightClass::kInt6Super) = panel_of_any<SixBits, SuperScales>;
}

}  // namespace ink
