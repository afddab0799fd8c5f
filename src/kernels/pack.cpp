// See kernels/pack.h; the layouts are stated in kernels/kernel_table.h. Every panel is filled by one thread
// from its 16 rows of the file; rows past the end stay zero.
#include "kernels/pack.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace ink {
namespace {

int64_t panel_count(int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

bool is_float(WeightClass weight_class) {
  return weight_class == WeightClass::kF32 || weight_class == WeightClass::kF16 ||
         weight_class == WeightClass::kBF16;
}

int64_t panel_bytes(WeightClass weight_class, int64_t cols) {
  switch (weight_class) {
    case WeightClass::kF32:
      return cols * kPanelRows * 4;
    case WeightClass::kF16:
    case WeightClass::kBF16:
      return cols * kPanelRows * 2;
    case WeightClass::kInt8:
    case WeightClass::kInt8Fine:
      return cols * kPanelRows;
    case WeightClass::kInt4:
      return cols * kPanelRows / 2;
  }
  return 0;
}

// Floats per panel in the scale plane.
int64_t panel_scale_floats(WeightClass weight_class, int64_t cols) {
  const int64_t groups = cols / kGroup;
  switch (weight_class) {
    case WeightClass::kInt8:
      return groups * kPanelRows;
    case WeightClass::kInt8Fine:
      return groups * 4 * kPanelRows;
    case WeightClass::kInt4:
      return groups * 2 * kPanelRows;
    default:
      return 0;
  }
}

// One row of elements into column `n` of a float panel.
template <typename T>
void place_float_row(const std::vector<T>& row, int64_t n, std::byte* panel) {
  for (size_t k = 0; k < row.size(); ++k) {
    std::memcpy(panel + (static_cast<int64_t>(k) * kPanelRows + n) * static_cast<int64_t>(sizeof(T)), &row[k],
                sizeof(T));
  }
}

void place_int8_group(const Group32& group, int64_t n, std::byte* panel_group) {
  for (int64_t j = 0; j < kGroup / 4; ++j) {
    std::memcpy(panel_group + (j * kPanelRows + n) * 4, group.q + 4 * j, 4);
  }
}

void place_int4_group(const Group32& group, int64_t n, std::byte* panel_group) {
  for (int64_t j = 0; j < kGroup / 8; ++j) {
    for (int64_t i = 0; i < 4; ++i) {
      const auto low = static_cast<uint8_t>(group.q[4 * j + i]);
      const auto high = static_cast<uint8_t>(group.q[16 + 4 * j + i]);
      panel_group[(j * kPanelRows + n) * 4 + i] = static_cast<std::byte>(low | (high << 4));
    }
  }
}

void place_quantized_row(WeightClass weight_class, const std::vector<Group32>& groups, int64_t n,
                         std::byte* panel, float* scales) {
  const auto count = static_cast<int64_t>(groups.size());
  for (int64_t g = 0; g < count; ++g) {
    const Group32& group = groups[static_cast<size_t>(g)];
    switch (weight_class) {
      case WeightClass::kInt8:
        place_int8_group(group, n, panel + g * kGroup * kPanelRows);
        scales[g * kPanelRows + n] = group.scale[0];
        break;
      case WeightClass::kInt8Fine: {
        place_int8_group(group, n, panel + g * kGroup * kPanelRows);
        float* plane = scales + g * 4 * kPanelRows + n;
        plane[0] = group.scale[0];
        plane[kPanelRows] = group.scale[1];
        plane[2 * kPanelRows] = group.offset[0];
        plane[3 * kPanelRows] = group.offset[1];
        break;
      }
      default:
        place_int4_group(group, n, panel + g * kGroup * kPanelRows / 2);
        scales[g * 2 * kPanelRows + n] = group.scale[0];
        scales[(g * 2 + 1) * kPanelRows + n] = group.offset[0];
        break;
    }
  }
}

// Places row `row` into its panel; returns whether every number is finite.
bool place_row(const WeightRows& weights, WeightClass weight_class, int64_t row, std::byte* panel,
               float* scales, RowBuffer& buffer) {
  const int64_t n = row % kPanelRows;
  const bool finite = buffer.read(weights, row, weight_class == WeightClass::kF32);
  if (!is_float(weight_class)) {
    place_quantized_row(weight_class, buffer.groups, n, panel, scales);
  } else if (weight_class == WeightClass::kF32) {
    place_float_row(buffer.floats, n, panel);
  } else {
    place_float_row(buffer.halves, n, panel);
  }
  return finite;
}

}  // namespace

const std::byte* PackedMatrix::panel(int64_t index) const {
  return panels.data() + index * panel_bytes(weight_class, cols);
}

const float* PackedMatrix::panel_scales(int64_t index) const {
  return reinterpret_cast<const float*>(scales.data()) + index * panel_scale_floats(weight_class, cols);
}

WeightClass weight_class_for(RowKind kind, Arithmetic arithmetic) {
  switch (kind) {
    case RowKind::kF32:
      return WeightClass::kF32;
    case RowKind::kF16:
      return WeightClass::kF16;
    case RowKind::kBF16:
      return WeightClass::kBF16;
    default:
      break;
  }
  if (arithmetic == Arithmetic::kExact) return WeightClass::kF32;
  if (kind == RowKind::kNibbles) return WeightClass::kInt4;
  return kind == RowKind::kBytes ? WeightClass::kInt8 : WeightClass::kInt8Fine;
}

uint64_t packed_size_bytes(WeightClass weight_class, int64_t rows, int64_t cols) {
  const int64_t panel = panel_bytes(weight_class, cols) + panel_scale_floats(weight_class, cols) * 4;
  return static_cast<uint64_t>(panel_count(rows)) * static_cast<uint64_t>(panel);
}

Result<PackedMatrix> pack_matrix(const WeightRows& weights, Arithmetic arithmetic, ThreadPool& threads) {
  PackedMatrix matrix;
  matrix.weight_class = weight_class_for(weights.kind(), arithmetic);
  matrix.rows = weights.rows();
  matrix.cols = weights.cols();
  const int64_t panels = panel_count(matrix.rows);
  const int64_t scale_floats = panel_scale_floats(matrix.weight_class, matrix.cols);
  const int64_t size_bytes = panel_bytes(matrix.weight_class, matrix.cols);
  auto panel_memory = PageMemory::reserve(static_cast<uint64_t>(panels * size_bytes));
  if (!panel_memory.ok()) return panel_memory.error();
  matrix.panels = std::move(*panel_memory);
  auto scale_memory = PageMemory::reserve(static_cast<uint64_t>(panels * scale_floats) * 4);
  if (!scale_memory.ok()) return scale_memory.error();
  matrix.scales = std::move(*scale_memory);

  std::vector<RowBuffer> buffers(static_cast<size_t>(threads.size()));
  LowestRow bad;
  threads.parallel_for(panels, 1, [&](int64_t begin, int64_t end, int thread) {
    RowBuffer& buffer = buffers[static_cast<size_t>(thread)];
    for (int64_t p = begin; p < end; ++p) {
      std::byte* panel = matrix.panels.data() + p * size_bytes;
      float* scales = reinterpret_cast<float*>(matrix.scales.data()) + p * scale_floats;
      for (int64_t r = p * kPanelRows; r < std::min(matrix.rows, (p + 1) * kPanelRows); ++r) {
        if (!place_row(weights, matrix.weight_class, r, panel, scales, buffer)) bad.note(r);
      }
    }
  });
  if (!bad.get()) return matrix;
  return Error{ErrorKind::kInvalid, "", "", not_finite_place(weights, *bad.get()) + " is not finite", ""};
}

}  // namespace ink
