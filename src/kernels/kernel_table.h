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

namespace ink {

// A panel is 16 output rows of a weight matrix, interleaved so that 16 results grow side by side in registers
// and no horizontal sum is ever needed. [k][16] below means: 16 rows' weights for column k stand together.
inline constexpr int kPanelRows = 16;
inline constexpr int kGroup = 32;  // columns that share an activation scale

// One class of packed weights per arithmetic.
enum class WeightClass {
  kF32,       // float    [cols][16]
  kF16,       // binary16 [cols][16]
  kBF16,      // bfloat16 [cols][16]
  kInt8,      // int8 [cols / 4][16][4];   scales float [cols / 32][16]
  kInt8Fine,  // int8 [cols / 4][16][4];   scales float [cols / 32][4][16]: scale of the first and second 16
              // columns, then offset of the first and second 16
  kInt4,      // nibbles [cols / 32][4][16][4]: byte (j, n, i) holds column 4j + i in its low half and column
              // 16 + 4j + i in its high half; scales float [cols / 32][2][16]: scale, offset
};
inline constexpr int kWeightClasses = 6;

// Activations in int8, quantized once for all matrices that read them: value = scale * q, |q| <= 127.
struct QuantizedRows {
  int8_t* q;       // [rows, cols]
  float* scale;    // [rows, cols / 32]
  int32_t* sum16;  // [rows, cols / 16]: sums of q, for weights with offsets
  int64_t cols;    // a multiple of 32
};

// What attention reads for one token and one key/value head. Keys and values lie in pages of kKvPageTokens
// tokens, [token][head_dim] each.
struct AttentionInput {
  const float* q;  // [heads, head_dim]: the query heads that share this key/value head
  int64_t heads;
  int64_t head_dim;
  const float* const* k_page;  // page i holds cache slots i * kKvPageTokens …
  const float* const* v_page;
  int64_t length;  // slots 0 .. length - 1 are seen
  float scale;     // 1 / sqrt(head_dim)
  float* scores;   // scratch, [heads, length]
  float* out;      // [heads, head_dim]
};
inline constexpr int64_t kKvPageTokens = 32;

struct KernelTable {
  const char* name;  // what INKSTONE_CPU accepts: "portable", "avx2", …

  // out[r, 0..15] = sum over k of x[r, k] * weight[n, k], k ascending. x row r is at x + r * cols.
  void (*panel_f32)(const float* x, int64_t rows, int64_t cols, const void* panel, float* out);
  void (*panel_f16)(const float* x, int64_t rows, int64_t cols, const void* panel, float* out);
  void (*panel_bf16)(const float* x, int64_t rows, int64_t cols, const void* panel, float* out);

  // The same in integers; groups ascending. With d the dot product and s the sum of q over a group:
  //   kInt8:     acc += (w_scale * x_scale) * d
  //   kInt8Fine: acc += x_scale * (((scale0 * d0 + offset0 * s0) + scale1 * d1) + offset1 * s1)
  //   kInt4:     acc += x_scale * (scale * d + offset * s)
  void (*panel_int8)(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* panel,
                     const float* scales, float* out);
  void (*panel_int8_fine)(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* panel,
                          const float* scales, float* out);
  void (*panel_int4)(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* panel,
                     const float* scales, float* out);

  // One row: scale = max|x| / 127 over each 32 columns, q = x / scale rounded to nearest, ties to even. All q
  // are 0 where the scale would be subnormal (then 0) or where any x is not finite (then NaN, so that a
  // broken row shows in every result instead of passing for a plausible one).
  void (*quantize_row)(const float* x, int64_t cols, int8_t* q, float* scale, int32_t* sum16);

  // out[i] = x[i] / sqrt(mean(x^2) + epsilon) * weight[i]
  void (*rms_norm_row)(const float* x, const float* weight, int64_t cols, float epsilon, float* out);

  // Softmax attention over one key/value head for all its query heads.
  void (*attend)(const AttentionInput& input);

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
