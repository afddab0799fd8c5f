// See kernels/pack.h; the layouts are stated in kernels/kernel_table.h. Every panel is filled by one thread
// from its 16 rows of the file; rows past the end stay zero.
#include "kernels/pack.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/arena.h"
#include "kernels/panel_layout.h"

namespace ink {

const std::byte* PackedMatrix::panel(int64_t index) const {
  return panels + index * panel_bytes(weight_class, cols);
}

const std::byte* PackedMatrix::panel_scales(int64_t index) const {
  return scales + index * panel_scale_bytes(weight_class, cols);
}

uint64_t PackedMatrix::panels_bytes() const {
  return static_cast<uint64_t>(panel_count(rows) * panel_bytes(weight_class, cols));
}

uint64_t PackedMatrix::scales_bytes() const {
  return static_cast<uint64_t>(panel_count(rows) * panel_scale_bytes(weight_class, cols));
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
  switch (kind) {
    case RowKind::kNibbles:
      return WeightClass::kInt4;
    case RowKind::kHalfNibbles:
      return WeightClass::kInt4Half;
    case RowKind::kSuperNibbles:
      return WeightClass::kInt4Super;
    case RowKind::kSuperSixBits:
      return WeightClass::kInt6Super;
    case RowKind::kBytes:
      return WeightClass::kInt8;
    case RowKind::kHalfBytes:
      return WeightClass::kInt8Half;
    default:
      return WeightClass::kInt8Fine;
  }
}

uint64_t packed_size_bytes(WeightClass weight_class, int64_t rows, int64_t cols) {
  const int64_t panel = panel_bytes(weight_class, cols) + panel_scale_bytes(weight_class, cols);
  return static_cast<uint64_t>(panel_count(rows)) * static_cast<uint64_t>(panel);
}

Result<PackedMatrix> pack_matrix(const WeightRows& weights, Arithmetic arithmetic, ThreadPool& threads) {
  PackedMatrix matrix;
  matrix.weight_class = weight_class_for(weights.kind(), arithmetic);
  matrix.rows = weights.rows();
  matrix.cols = weights.cols();
  const int64_t panels = panel_count(matrix.rows);
  const int64_t scale_bytes = panel_scale_bytes(matrix.weight_class, matrix.cols);
  const int64_t size_bytes = panel_bytes(matrix.weight_class, matrix.cols);
  // Scales begin at a whole number of cache lines.
  const uint64_t scales_at = (matrix.panels_bytes() + 63) / 64 * 64;
  auto memory = PageMemory::reserve(scales_at + matrix.scales_bytes());
  if (!memory.ok()) return memory.error();
  const auto owned = std::make_shared<PageMemory>(std::move(*memory));
  matrix.panels = owned->data();
  matrix.scales = owned->data() + scales_at;
  matrix.memory = owned;

  std::vector<RowBuffer> buffers(static_cast<size_t>(threads.size()));
  LowestRow bad;
  threads.parallel_for(panels, 1, [&](int64_t begin, int64_t end, int thread) {
    RowBuffer& buffer = buffers[static_cast<size_t>(thread)];
    for (int64_t p = begin; p < end; ++p) {
      std::byte* panel = owned->data() + p * size_bytes;
      std::byte* scales = owned->data() + scales_at + p * scale_bytes;
      for (int64_t r = p * kPanelRows; r < std::min(matrix.rows, (p + 1) * kPanelRows); ++r) {
        if (!buffer.read(weights, r, matrix.weight_class == WeightClass::kF32)) bad.note(r);
        place_row(matrix.weight_class, buffer, r % kPanelRows, panel, scales);
      }
    }
  });
  if (!bad.get()) return matrix;
  return Error{ErrorKind::kInvalid, "", "", not_finite_place(weights, *bad.get()) + " is not finite", ""};
}

}  // namespace ink
