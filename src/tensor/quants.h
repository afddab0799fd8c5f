// Quantized blocks, said once per format: a block is decoded into small integers with a scale and an offset
// per group, `weight = scale * q + offset`. From this follow the float values (dequantize) and the packed
// panels of the kernels, so the two can never disagree. Formats as in ggml; each decoder names its layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/dtype.h"

namespace ink {

// 32 consecutive weights in integers. Two groups of 16: formats that share one scale over 32 or more repeat
// it.
struct Group32 {
  int8_t q[32];
  float scale[2];   // weight[i] = scale[i / 16] * q[i] + offset[i / 16]
  float offset[2];  // 0 for symmetric formats
};

// Decodes `count` groups of 32 from a row of a quantized type. `blocks` points at the block that holds
// element 32 * first. Never reads outside the blocks that hold those elements. Any bit pattern is accepted.
void decode_groups(Dtype dtype, const std::byte* row, int64_t first, int64_t count, Group32* groups);

// Whether every group of the type has one scale (and offset) for all 32 elements: a coarser panel then
// serves.
bool has_scale_per_32(Dtype dtype);
// Whether q is always in 0..15 (nibbles with an offset per group of 32): a 4-bit panel then serves. For these
// decode_groups gives q in 0..15 and puts the zero point into the offset.
bool is_nibble_type(Dtype dtype);

// A row of `elements` (a multiple of the block) to floats; also F32, F16, BF16.
void dequantize_row(Dtype dtype, const std::byte* row, int64_t elements, float* values);

// Floats to blocks, byte-equal to the reference quantizer. Returns false when the type has no quantizer here
// (see quantizable). `elements` is a multiple of the block.
bool quantize_row(Dtype dtype, const float* values, int64_t elements, std::byte* row);
bool quantizable(Dtype dtype);

}  // namespace ink
