// Panels of float weights: 16 dot products at once, columns ascending, one product and one sum per step.
// Weights of 16 bits are widened exactly, a block of columns at a time, so that all rows share the work.
#include <cstring>

#include "base/half.h"
#include "kernels/portable/portable.h"

namespace ink::portable {
namespace {

// 64 columns: 4 KiB of widened weights, which stay in the first-level cache.
constexpr int64_t kBlockCols = 64;

// Four floats as a value: an extension of gcc and clang that every processor can follow. From an inner loop
// over 16 floats gcc 12 makes a transposition of the weights instead, four times slower.
using Four = float __attribute__((vector_size(16)));
constexpr int kFours = kPanelRows / 4;

void add_products(const float* x, int64_t cols, const float* weights, float* out) {
  Four sum[kFours];
  std::memcpy(sum, out, sizeof sum);
  for (int64_t k = 0; k < cols; ++k) {
    for (int i = 0; i < kFours; ++i) {
      Four weight;
      std::memcpy(&weight, weights + k * kPanelRows + 4 * i, sizeof weight);
      sum[i] += x[k] * weight;
    }
  }
  std::memcpy(out, sum, sizeof sum);
}

template <float (*widen)(uint16_t)>
void panel_16_bits(const float* x, int64_t rows, int64_t cols, const void* panel, float* out) {
  const auto* weights = static_cast<const uint16_t*>(panel);
  for (int64_t i = 0; i < rows * kPanelRows; ++i) out[i] = 0.0f;
  for (int64_t first = 0; first < cols; first += kBlockCols) {
    const int64_t block = cols - first < kBlockCols ? cols - first : kBlockCols;
    float wide[kBlockCols * kPanelRows];
    for (int64_t i = 0; i < block * kPanelRows; ++i) wide[i] = widen(weights[first * kPanelRows + i]);
    for (int64_t r = 0; r < rows; ++r) add_products(x + r * cols + first, block, wide, out + r * kPanelRows);
  }
}

}  // namespace

void panel_f32(const float* x, int64_t rows, int64_t cols, const void* panel, float* out) {
  for (int64_t i = 0; i < rows * kPanelRows; ++i) out[i] = 0.0f;
  for (int64_t r = 0; r < rows; ++r)
    add_products(x + r * cols, cols, static_cast<const float*>(panel), out + r * kPanelRows);
}

void panel_f16(const float* x, int64_t rows, int64_t cols, const void* panel, float* out) {
  panel_16_bits<f16_to_f32>(x, rows, cols, panel, out);
}

void panel_bf16(const float* x, int64_t rows, int64_t cols, const void* panel, float* out) {
  panel_16_bits<bf16_to_f32>(x, rows, cols, panel, out);
}

}  // namespace ink::portable
