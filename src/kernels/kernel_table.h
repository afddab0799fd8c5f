// The innermost loops, as one table of functions per instruction set. portable/ is the specification: it says
// in plain C++ what each function computes and in which order; every other table is tested against it.
//
// Law 1 (same answer whatever the batch, chunk or thread) rests here: what a function computes for one row
// must not depend on the other rows it was called with. So: sums run over the columns in one fixed order.
//
// The integer functions are bit-exact across tables (integer dot products, then the stated float operations
// with no fused multiply-add). The float functions may fuse and therefore agree across tables only to
// rounding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention.h"

namespace ink {

// A panel is 16 output rows of a weight matrix, interleaved so that 16 results grow side by side in registers
// and no horizontal sum is ever needed. [k][16] below means: 16 rows' weights for column k stand together.
inline constexpr int kPanelRows = 16;
inline constexpr int kGroup = 32;  // columns that share an activation scale

// One class of packed weights per arithmetic and coding of the scales. The integer classes hold their weights
// in groups of 32 columns; scales stand in a plane of their own, and are exactly the file's: those of the
// types named here keep the file's two levels, so that a panel is as small as its rows in the file.
//   nibbles [4][16][4]: byte (j, n, i) holds column 4j + i in its low half and column 16 + 4j + i in its high
//                       half, for row n of the panel
//   bytes   [8][16][4]: byte (j, n, i) holds column 4j + i
enum class WeightClass {
  kF32,   // float    [cols][16]
  kF16,   // binary16 [cols][16]
  kBF16,  // bfloat16 [cols][16]
  // Integers. Scale planes:
  kInt4,       // nibbles q;      per group float scale[16], offset[16]
  kInt4Half,   // nibbles q + 8;  per group f16 scale[16] (Q4_0)
  kInt4Super,  // nibbles q;      per 8 groups f16 d[16], f16 dmin[16], then for each of them u8 scale[16],
               //                 u8 minimum[16]: scale = d * scale, offset = -(dmin * minimum) (Q4_K)
  kInt6Super,  // q + 32: nibbles of the low four bits, then [2][16][4] bytes of the high two: byte (j, n, i)
               // holds those of columns 4j + i, 8 + 4j + i, 16 + 4j + i, 24 + 4j + i from its lowest bits
               // upwards;
               //                 per 8 groups f16 d[16], then for each of them int8 scale[2][16], for the
               //                 first and the second 16 columns (Q6_K)
  kInt8,       // bytes q;        per group float scale[16]
  kInt8Half,   // bytes q;        per group f16 scale[16] (Q8_0)
  kInt8Fine,   // bytes q;        per group float scale[2][16], offset[2][16], for the first and second 16
};
inline constexpr int kWeightClasses = 10;
inline constexpr int kGroupsInSuper = 8;

constexpr bool is_integer_class(WeightClass weight_class) { return weight_class >= WeightClass::kInt4; }
// Its place among the integer classes.
constexpr int integer_place(WeightClass weight_class) {
  return static_cast<int>(weight_class) - static_cast<int>(WeightClass::kInt4);
}
inline constexpr int kIntegerClasses = kWeightClasses - static_cast<int>(WeightClass::kInt4);

// Activations in int8, quantized once for all matrices that read them: value = scale * q, |q| <= 127.
struct QuantizedRows {
  int8_t* q;       // [rows, cols]
  float* scale;    // [rows, cols / 32]
  int32_t* sum16;  // [rows, cols / 16]: sums of q, for weights with offsets
  int64_t cols;    // a multiple of 32
};

// One row of x by one panel of integer weights: out [16].
struct RowByPanel {
  int64_t row;
  const void* panel;
  const void* scales;
  float* out;
};

struct KernelTable {
  const char* name;  // what INKSTONE_CPU accepts: "portable", "avx2", …

  // out[r, 0..15] = sum over k of x[r, k] * weight[n, k], k ascending. x row r is at x + r * cols.
  void (*panel_f32)(const float* x, int64_t rows, int64_t cols, const void* panel, float* out);
  void (*panel_f16)(const float* x, int64_t rows, int64_t cols, const void* panel, float* out);
  void (*panel_bf16)(const float* x, int64_t rows, int64_t cols, const void* panel, float* out);

  // The same in integers, one function for each integer class (`integer_panel` finds it); groups ascending.
  // With d the dot product of a group (d0 and d1 of its halves) and s the sum of the activations' q:
  //   kInt4, kInt4Super:               acc += x_scale * (scale * d + offset * s)
  //   kInt4Half, kInt8, kInt8Half:     acc += x_scale * (scale * d)
  //   kInt6Super:                      acc += x_scale * (scale0 * d0 + scale1 * d1)
  //   kInt8Fine:                       acc += x_scale * (((scale0 * d0 + offset0 * s0) + scale1 * d1) +
  //   offset1 * s1)
  using IntegerPanel = void (*)(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* panel,
                                const void* scales, float* out);
  IntegerPanel integer_panels[kIntegerClasses];
  IntegerPanel& integer_panel(WeightClass weight_class) {
    return integer_panels[integer_place(weight_class)];
  }
  IntegerPanel integer_panel(WeightClass weight_class) const {
    return integer_panels[integer_place(weight_class)];
  }

  // Two of them for panels of one class, side by side: a thread that reads two places of memory at once gets
  // more of its bandwidth than one that reads them one after the other, if they are 64 KiB apart or more.
  // The results are the same; null: the table does one after the other.
  using TwoIntegerPanels = void (*)(const QuantizedRows& x, const RowByPanel& a, const RowByPanel& b);
  TwoIntegerPanels two_integer_panels[kIntegerClasses];
  TwoIntegerPanels& two_panels(WeightClass weight_class) {
    return two_integer_panels[integer_place(weight_class)];
  }
  void multiply_two_panels(WeightClass weight_class, const QuantizedRows& x, const RowByPanel& a,
                           const RowByPanel& b) const {
    const int place = integer_place(weight_class);
    if (two_integer_panels[place] != nullptr) return two_integer_panels[place](x, a, b);
    integer_panels[place](x, a.row, 1, a.panel, a.scales, a.out);
    integer_panels[place](x, b.row, 1, b.panel, b.scales, b.out);
  }

  // One row: scale = max|x| / 127 over each 32 columns, q = x / scale rounded to nearest, ties to even. All q
  // are 0 where the scale would be subnormal (then 0) or where any x is not finite (then NaN, so that a
  // broken row shows in every result instead of passing for a plausible one).
  void (*quantize_row)(const float* x, int64_t cols, int8_t* q, float* scale, int32_t* sum16);

  // out[i] = x[i] / sqrt(mean(x^2) + epsilon) * weight[i]
  void (*rms_norm_row)(const float* x, const float* weight, int64_t cols, float epsilon, float* out);

  // Softmax attention of a tile of tokens over one key/value head (kernels/attention.h), for the two kinds of
  // types.
  void (*attend_floats)(const AttentionTile& tile);
  void (*attend_integers)(const AttentionTile& tile);
  void attend(const AttentionTile& tile) const {
    (is_integer_type(tile.type) ? attend_integers : attend_floats)(tile);
  }
  // The Walsh-Hadamard transform of a power of two of floats, at least 8, in place; scaled so that lengths
  // stay.
  void (*rotate_row)(float* x, int64_t count);
  // Floats to binary16, to nearest, ties to even.
  void (*to_f16)(const float* values, int64_t count, uint16_t* halves);
  // Floats to integers of at most `limit` (1..32767): scale = max|x| / limit, q = x * (1 / scale) rounded to
  // nearest, ties to even; returns the scale. Subnormal scales and values that are not finite: as in
  // quantize_row.
  float (*round_row)(const float* x, int64_t count, int limit, int16_t* q);

  // out[i] = silu(gate[i]) * up[i], silu(x) = x / (1 + exp(-x)); out may be gate.
  void (*silu_mul)(const float* gate, const float* up, int64_t count, float* out);
};

// The tables this processor can run, best last; the first is always portable.
struct KernelTables {
  const KernelTable* table[8];
  int count;
};
const KernelTables& available_kernel_tables();

// The table called `name`; null when it is unknown or this processor lacks it.
const KernelTable* find_kernel_table(const char* name);

}  // namespace ink
