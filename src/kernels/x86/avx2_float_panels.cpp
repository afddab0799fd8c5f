// Panels of float weights with AVX2, FMA and F16C. One output row of a panel is one lane of two registers.
// The order of the sum, for every row alike: blocks of 256 columns ascending; in a block the even columns are
// added to the sum so far and the odd columns to a second one, and the two are added at its end. Two sums
// because one chain of fused multiply-adds waits for itself: with one row of x it would run at half the speed
// of memory.
#include "kernels/x86/avx2_vectors.h"
#include "kernels/x86/fetch.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

constexpr int64_t kBlockCols = 256;  // 16 KiB of floats: they stay in the first-level cache for all rows
// 3 rows * 2 registers * 2 sums leave 4 registers for weights and x. Fewer rows are bound by memory, and
// fetch.
constexpr int kMostRows = 3;

struct F32 {
  using Bits = float;
  static __m256 load(const float* weights) { return _mm256_loadu_ps(weights); }
};

struct F16 {
  using Bits = uint16_t;
  static __m256 load(const uint16_t* weights) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weights)));
  }
};

struct BF16 {
  using Bits = uint16_t;
  static __m256 load(const uint16_t* weights) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
};

// sum[r][i] += x[r, k] * weight[k][8 * i ..]
template <typename Weights, int kRows>
inline void add_column(const float* x, int64_t stride, const typename Weights::Bits* weights,
                       __m256 (&sum)[kRows][2]) {
  const __m256 low = Weights::load(weights);
  const __m256 high = Weights::load(weights + 8);
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    const __m256 factor = _mm256_broadcast_ss(x + r * stride);
    sum[r][0] = _mm256_fmadd_ps(factor, low, sum[r][0]);
    sum[r][1] = _mm256_fmadd_ps(factor, high, sum[r][1]);
  }
}

// out[r] += the products of one block of columns; x row r is at x + r * stride.
template <typename Weights, int kRows>
void add_block(const float* x, int64_t stride, int64_t cols, const typename Weights::Bits* weights,
               float* out) {
  __m256 even[kRows][2];
  __m256 odd[kRows][2];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int i = 0; i < 2; ++i) {
      even[r][i] = _mm256_loadu_ps(out + r * kPanelRows + 8 * i);
      odd[r][i] = _mm256_setzero_ps();
    }
  }
  int64_t k = 0;
  for (; k + 2 <= cols; k += 2) {
    if (kRows < kMostRows) fetch_ahead<2 * kPanelRows * sizeof *weights>(weights + k * kPanelRows);
    add_column<Weights>(x + k, stride, weights + k * kPanelRows, even);
    add_column<Weights>(x + k + 1, stride, weights + (k + 1) * kPanelRows, odd);
  }
  if (k < cols) add_column<Weights>(x + k, stride, weights + k * kPanelRows, even);
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int i = 0; i < 2; ++i)
      _mm256_storeu_ps(out + r * kPanelRows + 8 * i, _mm256_add_ps(even[r][i], odd[r][i]));
  }
}

template <typename Weights>
void add_block_to_rows(const float* x, int64_t rows, int64_t stride, int64_t cols,
                       const typename Weights::Bits* weights, float* out) {
  for (; rows >= kMostRows; rows -= kMostRows, x += kMostRows * stride, out += kMostRows * kPanelRows)
    add_block<Weights, kMostRows>(x, stride, cols, weights, out);
  if (rows == 2) add_block<Weights, 2>(x, stride, cols, weights, out);
  if (rows == 1) add_block<Weights, 1>(x, stride, cols, weights, out);
}

template <typename Weights>
void panel(const float* x, int64_t rows, int64_t cols, const void* data, float* out) {
  const auto* weights = static_cast<const typename Weights::Bits*>(data);
  for (int64_t i = 0; i < rows * kPanelRows; i += 8) _mm256_storeu_ps(out + i, _mm256_setzero_ps());
  for (int64_t first = 0; first < cols; first += kBlockCols) {
    const int64_t block = cols - first < kBlockCols ? cols - first : kBlockCols;
    add_block_to_rows<Weights>(x + first, rows, cols, block, weights + first * kPanelRows, out);
  }
}

}  // namespace

void install_avx2_float_panels(KernelTable& table) {
  table.panel_f32 = panel<F32>;
  table.panel_f16 = panel<F16>;
  table.panel_bf16 = panel<BF16>;
}

}  // namespace ink
