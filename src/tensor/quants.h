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
// it. q uses the whole of int8: -128 does occur (Q8_0).
struct Group32 {
  int8_t q[32];
  float scale[2];   // weight[i] = scale[i / 16] * q[i] + offset[i / 16]
  float offset[2];  // 0 for symmetric formats
};

// Decodes `count` groups of 32 from a row of a quantized type, from element 32 * first on. `row` is the row's
// first block; it needs no alignment. Never reads outside the blocks that hold those elements. Any bit
// pattern is accepted (scales may then be infinite or NaN, integers never leave their range). Cheapest in
// whole blocks: a block of 256 is decoded as a whole even for one of its groups.
void decode_groups(Dtype dtype, const std::byte* row, int64_t first, int64_t count, Group32* groups);

// The scales of 256 weights of Q4_K and Q6_K as the file has them, for panels that keep both levels.
struct SuperScales {
  uint16_t d;          // f16
  uint16_t dmin;       // f16; 0 for Q6_K
  uint8_t scale[16];   // Q4_K: of each 32 weights, in the first eight; Q6_K: of each 16, signed
  uint8_t minimum[8];  // Q4_K: of each 32 weights
};
// `count` blocks of a row from block `first` on. Q4_K and Q6_K only.
void decode_super_scales(Dtype dtype, const std::byte* row, int64_t first, int64_t count,
                         SuperScales* scales);

// The three questions below are about quantized types; for the others the answer is false.
// Whether every group of the type has one scale (and offset) for all 32 elements: a coarser panel then
// serves.
bool has_scale_per_32(Dtype dtype);
// Whether q is always in 0..15 (nibbles with an offset per group of 32): a 4-bit panel then serves. For these
// decode_groups gives q in 0..15 and puts the zero point into the offset.
bool is_nibble_type(Dtype dtype);
// Whether every offset is 0. Q5_1 and Q5_K have one scale per 32 but are not symmetric: a panel without
// offsets needs both answers.
bool is_symmetric(Dtype dtype);

// A row of `elements` (a multiple of the block) to floats: every quantized type, F32, F16, BF16. Equal to the
// reference in every finite value. `row` needs no alignment.
void dequantize_row(Dtype dtype, const std::byte* row, int64_t elements, float* values);
// False for the integer types and F64, which dequantize_row must not be given.
bool dequantizable(Dtype dtype);

// Floats to blocks, byte-equal to the reference quantizer for finite values (MXFP4: not below 2^-125).
// Returns false when the type has no quantizer here (see quantizable). `elements` is a multiple of the block.
bool quantize_row(Dtype dtype, const float* values, int64_t elements, std::byte* row);
bool quantizable(Dtype dtype);

}  // namespace ink
