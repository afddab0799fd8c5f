// The portable kernels: the specification of every function of KernelTable, in plain C++ that any compiler
// can vectorise over the 16 columns of a panel. What a function computes is said in kernels/kernel_table.h;
// in which order it is computed is said here, by the code. Other tables are tested against these.
#pragma once

#include "kernels/kernel_table.h"

namespace ink {

const KernelTable& portable_kernels();

namespace portable {

void panel_f32(const float* x, int64_t rows, int64_t cols, const void* panel, float* out);
void panel_f16(const float* x, int64_t rows, int64_t cols, const void* panel, float* out);
void panel_bf16(const float* x, int64_t rows, int64_t cols, const void* panel, float* out);

void install_integer_panels(KernelTable& table);

void quantize_row(const float* x, int64_t cols, int8_t* q, float* scale, int32_t* sum16);
void rms_norm_row(const float* x, const float* weight, int64_t cols, float epsilon, float* out);
void rotate_row(float* x, int64_t count);
float round_row(const float* x, int64_t count, int limit, int16_t* q);
void attend_floats(const AttentionTile& tile);
void attend_integers(const AttentionTile& tile);
void to_f16(const float* values, int64_t count, uint16_t* halves);
void silu_mul(const float* gate, const float* up, int64_t count, float* out);

}  // namespace portable
}  // namespace ink
