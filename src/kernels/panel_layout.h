// Where the weights of a row stand in a panel, for each class of kernels/kernel_table.h; what kernels read,
// said once for writing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.h"
#include "tensor/weight_rows.h"

namespace ink {

// Panels of 16 rows that so many rows take.
inline int64_t panel_count(int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

// Bytes of a panel, and of its part of the scale plane (0 for floats).
int64_t panel_bytes(WeightClass weight_class, int64_t cols);
int64_t panel_scale_bytes(WeightClass weight_class, int64_t cols);

// Writes one row, read in the kind that the class is made from, as row `n` (0..15) of a panel.
void place_row(WeightClass weight_class, const RowBuffer& row, int64_t n, std::byte* panel,
               std::byte* scales);

}  // namespace ink
