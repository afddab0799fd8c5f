// Panels of integer weights against int8 activations. Dot products of a group are exact in 32 bits and below
// 2^24, hence exact as floats too; after that every float operation is the one written in kernel_table.h,
// groups ascending, nothing fused: any table that follows gives the same bits.
#include "kernels/portable/portable.h"

namespace ink::portable {
namespace {

// dot[n] = sum of weight[n, k] * q[k] over 4 * steps columns; weights are [steps][16][4].
void dot_columns(const int8_t* weights, const int8_t* q, int64_t steps, int32_t* dot) {
  for (int n = 0; n < kPanelRows; ++n) dot[n] = 0;
  for (int64_t j = 0; j < steps; ++j) {
    for (int n = 0; n < kPanelRows; ++n) {
      for (int i = 0; i < 4; ++i) dot[n] += weights[(j * kPanelRows + n) * 4 + i] * q[4 * j + i];
    }
  }
}

// The same over a group of 32 columns held in nibbles [4][16][4].
void dot_nibbles(const uint8_t* nibbles, const int8_t* q, int32_t* dot) {
  for (int n = 0; n < kPanelRows; ++n) dot[n] = 0;
  for (int64_t j = 0; j < 4; ++j) {
    for (int n = 0; n < kPanelRows; ++n) {
      for (int i = 0; i < 4; ++i) {
        const int both = nibbles[(j * kPanelRows + n) * 4 + i];
        dot[n] += (both & 15) * q[4 * j + i] + (both >> 4) * q[16 + 4 * j + i];
      }
    }
  }
}

}  // namespace

void panel_int8(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* panel,
                const float* scales, float* out) {
  const auto* weights = static_cast<const int8_t*>(panel);
  const int64_t groups = x.cols / kGroup;
  for (int64_t r = 0; r < rows; ++r) {
    const int8_t* q = x.q + (first_row + r) * x.cols;
    const float* x_scale = x.scale + (first_row + r) * groups;
    float sum[kPanelRows] = {};
    for (int64_t g = 0; g < groups; ++g) {
      int32_t dot[kPanelRows];
      dot_columns(weights + g * kGroup * kPanelRows, q + g * kGroup, kGroup / 4, dot);
      const float* w_scale = scales + g * kPanelRows;
      for (int n = 0; n < kPanelRows; ++n) sum[n] += (w_scale[n] * x_scale[g]) * static_cast<float>(dot[n]);
    }
    for (int n = 0; n < kPanelRows; ++n) out[r * kPanelRows + n] = sum[n];
  }
}

void panel_int8_fine(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* panel,
                     const float* scales, float* out) {
  const auto* weights = static_cast<const int8_t*>(panel);
  const int64_t groups = x.cols / kGroup;
  for (int64_t r = 0; r < rows; ++r) {
    const int8_t* q = x.q + (first_row + r) * x.cols;
    const float* x_scale = x.scale + (first_row + r) * groups;
    const int32_t* q_sum = x.sum16 + (first_row + r) * groups * 2;
    float sum[kPanelRows] = {};
    for (int64_t g = 0; g < groups; ++g) {
      int32_t dot0[kPanelRows];
      int32_t dot1[kPanelRows];
      const int8_t* group = weights + g * kGroup * kPanelRows;
      dot_columns(group, q + g * kGroup, kGroup / 8, dot0);
      dot_columns(group + kGroup / 2 * kPanelRows, q + g * kGroup + kGroup / 2, kGroup / 8, dot1);
      const float* scale0 = scales + g * 4 * kPanelRows;
      const float* scale1 = scale0 + kPanelRows;
      const float* offset0 = scale1 + kPanelRows;
      const float* offset1 = offset0 + kPanelRows;
      const float s0 = static_cast<float>(q_sum[2 * g]);
      const float s1 = static_cast<float>(q_sum[2 * g + 1]);
      for (int n = 0; n < kPanelRows; ++n) {
        const float first = scale0[n] * static_cast<float>(dot0[n]) + offset0[n] * s0;
        sum[n] += x_scale[g] * ((first + scale1[n] * static_cast<float>(dot1[n])) + offset1[n] * s1);
      }
    }
    for (int n = 0; n < kPanelRows; ++n) out[r * kPanelRows + n] = sum[n];
  }
}

void panel_int4(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* panel,
                const float* scales, float* out) {
  const auto* nibbles = static_cast<const uint8_t*>(panel);
  const int64_t groups = x.cols / kGroup;
  for (int64_t r = 0; r < rows; ++r) {
    const int8_t* q = x.q + (first_row + r) * x.cols;
    const float* x_scale = x.scale + (first_row + r) * groups;
    const int32_t* q_sum = x.sum16 + (first_row + r) * groups * 2;
    float sum[kPanelRows] = {};
    for (int64_t g = 0; g < groups; ++g) {
      int32_t dot[kPanelRows];
      dot_nibbles(nibbles + g * kGroup / 2 * kPanelRows, q + g * kGroup, dot);
      const float* scale = scales + g * 2 * kPanelRows;
      const float* offset = scale + kPanelRows;
      const float s = static_cast<float>(q_sum[2 * g] + q_sum[2 * g + 1]);
      for (int n = 0; n < kPanelRows; ++n)
        sum[n] += x_scale[g] * (scale[n] * static_cast<float>(dot[n]) + offset[n] * s);
    }
    for (int n = 0; n < kPanelRows; ++n) out[r * kPanelRows + n] = sum[n];
  }
}

}  // namespace ink::portable
