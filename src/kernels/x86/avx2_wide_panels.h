// Panels of nibbles and of six-bit numbers for many rows of x with AVX2. What has nothing to do with x,
// unpacking weights and scales, is done once for all rows: some groups of columns at a time become unsigned
// bytes and float scales that stay in the first-level cache. The operations behind that and their order are
// those of avx2_panels.h, hence the bits, too. With 64 rows: 185 instead of 154 GOP/s for Q4_K, 145 instead
// of 104 for Q6_K (one core of Zen 3). Everything is static: see avx2_vectors.h.
#pragma once

#include "kernels/x86/avx2_panels.h"

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

// pairs += the products of pairs of four columns from `col` on, left and right half of a panel.
template <int kRows>
inline void add_pairs(const Rows& x, int64_t col, __m256i left, __m256i right, __m256i (&pairs)[kRows][2]) {
  for (int r = 0; r < kRows; ++r) {
    const __m256i columns = x.columns(r, col);
    pairs[r][0] = _mm256_add_epi16(pairs[r][0], _mm256_maddubs_epi16(left, columns));
    pairs[r][1] = _mm256_add_epi16(pairs[r][1], _mm256_maddubs_epi16(right, columns));
  }
  finish_step(pairs);
}

inline constexpr int kWideGroups = 16;  // 8 KiB of weights and at most 2 KiB of scales
// From so many rows on the widening pays.
inline constexpr int64_t kManyRows = 8;

// Groups of a panel, widened.
template <typename Weights, typename Scales>
struct WideGroups {
  static constexpr int kScaleRows = Scales::kParts * (Scales::kOffsets ? 2 : 1);

  alignas(32) uint8_t weights[kWideGroups][kGroup / 4][kPanelRows][4];
  alignas(32) float scales[kWideGroups][kScaleRows][kPanelRows];  // of the parts; offsets behind them
  int64_t count;

  void read(const uint8_t* panel, const uint8_t* plane, int64_t first, int64_t groups) {
    count = groups;
    Scales reader(plane, first);
    for (int64_t g = 0; g < groups; ++g) {
      Weights::widen(panel + (first + g) * Weights::kGroupBytes, &weights[g][0][0][0]);
      GroupScales<Scales::kParts> read;
      reader.next(read);
      for (int part = 0; part < Scales::kParts; ++part) {
        for (int i = 0; i < 2; ++i) {
          _mm256_store_ps(&scales[g][part][i * kHalf], read.scale[part][i]);
          if (Scales::kOffsets)
            _mm256_store_ps(&scales[g][kScaleRows / 2 + part][i * kHalf], read.offset[part][i]);
        }
      }
    }
  }
};

// What the sums of x take part in, for kRows rows: -kZero * sum, of parts of groups; and the sums of groups.
template <typename Weights, int kParts, int kRows>
struct RowSums {
  int32_t excess[kRows][kWideGroups * kParts];
  float sum[kRows][kWideGroups];

  RowSums(const Rows& x, int64_t first, int64_t groups) {
    for (int r = 0; r < kRows; ++r) {
      const int32_t* halves = x.sum16 + (r * x.groups + first) * 2;
      for (int64_t g = 0; g < groups; ++g) {
        const int32_t both = halves[2 * g] + halves[2 * g + 1];
        sum[r][g] = static_cast<float>(both);
        if (Weights::kZero == 0) continue;  // nothing reads an excess
        if (kParts == 1) {
          excess[r][g] = -Weights::kZero * both;
        } else {
          for (int part = 0; part < 2; ++part)
            excess[r][2 * g + part] = -Weights::kZero * halves[2 * g + part];
        }
      }
    }
  }
};

// out += the products of kRows rows with the groups. Not inlined: see multiply.
template <typename Weights, typename Scales, int kRows>
[[gnu::noinline]] void multiply_wide(const Rows& rows, int64_t first, const WideGroups<Weights, Scales>& wide,
                                     float* out) {
  const Rows x = rows;  // a copy that nobody else can change stays in registers
  constexpr int kParts = Scales::kParts;
  constexpr int kSteps = kGroup / 4 / kParts;
  const RowSums<Weights, kParts, kRows> sums(x, first, wide.count);
  __m256 total[kRows][2];
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i < 2; ++i) total[r][i] = _mm256_loadu_ps(out + r * kPanelRows + i * kHalf);
  }
  for (int64_t g = 0; g < wide.count; ++g) {
    __m256i dot[kParts][kRows][2];
#pragma GCC unroll 2
    for (int part = 0; part < kParts; ++part) {
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        const __m256i excess = Weights::kZero == 0 ? _mm256_setzero_si256()
                                                   : _mm256_set1_epi32(sums.excess[r][g * kParts + part]);
        for (int i = 0; i < 2; ++i) dot[part][r][i] = excess;
      }
#pragma GCC unroll 2
      for (int block = 0; block < kSteps; block += Weights::kStepsThatFit) {
        __m256i pairs[kRows][2] = {};
#pragma GCC unroll 8
        for (int step = block; step < block + Weights::kStepsThatFit; ++step) {
          const int j = part * kSteps + step;
          const __m256i left = load_bytes(&wide.weights[g][j][0][0]);
          const __m256i right = load_bytes(&wide.weights[g][j][kHalf][0]);
          add_pairs(x, (first + g) * kGroup + 4 * j, left, right, pairs);
        }
        for (int r = 0; r < kRows; ++r) {
          for (int i = 0; i < 2; ++i)
            dot[part][r][i] = _mm256_add_epi32(dot[part][r][i], widened(pairs[r][i]));
        }
        finish_step(dot[part]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      const __m256 x_scale = x.group_scale(r, first + g);
      for (int i = 0; i < 2; ++i) {
        __m256 value = _mm256_setzero_ps();
        for (int part = 0; part < kParts; ++part) {
          const __m256 scale = _mm256_load_ps(&wide.scales[g][part][i * kHalf]);
          const __m256 product = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(dot[part][r][i]));
          value = part == 0 ? product : _mm256_add_ps(value, product);
        }
        if (Scales::kOffsets) {
          const __m256 offset = _mm256_load_ps(&wide.scales[g][1][i * kHalf]);
          value = _mm256_add_ps(value, _mm256_mul_ps(offset, _mm256_broadcast_ss(&sums.sum[r][g])));
        }
        total[r][i] = _mm256_add_ps(total[r][i], _mm256_mul_ps(x_scale, value));
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i < 2; ++i) _mm256_storeu_ps(out + r * kPanelRows + i * kHalf, total[r][i]);
  }
}

template <typename Weights, typename Scales>
void panel_of_any(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* data,
                  const void* scales, float* out) {
  static_assert(!Scales::kOffsets || Scales::kParts == 1);
  if (rows < kManyRows) return panel<Weights, Scales>(x, first_row, rows, data, scales, out);
  const int64_t groups = x.cols / kGroup;
  for (int64_t i = 0; i < rows * kPanelRows; i += kHalf) _mm256_storeu_ps(out + i, _mm256_setzero_ps());
  WideGroups<Weights, Scales> wide;
  for (int64_t first = 0; first < groups; first += kWideGroups) {
    wide.read(static_cast<const uint8_t*>(data), static_cast<const uint8_t*>(scales), first,
              groups - first < kWideGroups ? groups - first : kWideGroups);
    for (int64_t r = 0; r < rows; r += Weights::kRowsAtOnce) {
      const Rows pass = Rows::from(x, first_row + r);
      float* pass_out = out + r * kPanelRows;
      run_pass<Weights::kRowsAtOnce>(
          rows - r, [&]<int kRows>() { multiply_wide<Weights, Scales, kRows>(pass, first, wide, pass_out); });
    }
  }
}

}  // namespace
}  // namespace ink
