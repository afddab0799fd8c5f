// Quantizers that search, for writing model files: scales and codes are chosen so that the weighted squared
// error of a block, the sum of importance * (value - decoded value)^2, is small. quantize_row (quants.h)
// rounds to nearest with the reference's scales instead; it is the yardstick here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace ink {

// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS.
bool fittable(Dtype dtype);

// Floats to blocks of a fittable type. `importance` [elements] weights the squared errors and need not be
// scaled to anything; it is finite and not negative. Null: every element counts the same (in Q4_0, large ones
// a little more). `elements` is a multiple of the block. The same input gives the same bytes on every
// machine. Values that are not finite give some valid block; the caller looks for them.
void fit_row(Dtype dtype, const float* values, const float* importance, int64_t elements, std::byte* row);

}  // namespace ink
