// Norm and gate: one pass over one row each.
#include <cmath>

#include "kernels/portable/lanes.h"
#include "kernels/portable/portable.h"

namespace ink::portable {

void rms_norm_row(const float* x, const float* weight, int64_t cols, float epsilon, float* out) {
  const float mean_square = dot_in_lanes(x, x, cols) / static_cast<float>(cols);
  const float factor = 1.0f / std::sqrt(mean_square + epsilon);
  for (int64_t i = 0; i < cols; ++i) out[i] = x[i] * factor * weight[i];
}

void silu_mul(const float* gate, const float* up, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
}

}  // namespace ink::portable
