// See kernels/pack.h; the layouts are stated in kernels/kernel_table.h. Every panel is filled by one thread
// from its 16 rows of the file; rows past the end stay zero.
#include "kernels/pack.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/huge_pages.h"
#include "kernels/panel_layout.h"

namespace ink {

PackedMatrix PackedMatrix::of(WeightClass weight_class, int64_t rows, int64_t cols) {
  PackedMatrix matrix;
  matrix.weight_class = weight_class;
  matrix.rows = rows;
  matrix.cols = cols;
  matrix.panel_stride = panel_bytes(weight_class, cols);
  matrix.scales_stride = panel_scale_bytes(weight_class, cols);
  return matrix;
}

uint64_t PackedMatrix::panels_bytes() const {
  return static_cast<uint64_t>(panel_count(rows) * panel_stride);
}

uint64_t PackedMatrix::scales_bytes() const {
  return static_cast<uint64_t>(panel_count(rows) * scales_stride);
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
  return PackedMatrix::of(weight_class, rows, cols).size_bytes();
}

Result<PackedMatrix> pack_matrix(const WeightRows& weights, Arithmetic arithmetic, ThreadPool& threads) {
  const WeightClass weight_class = weight_class_for(weights.kind(), arithmetic);
  PackedMatrix matrix = PackedMatrix::of(weight_class, weights.rows(), weights.cols());
  const int64_t panels = panel_count(matrix.rows);
  const uint64_t scales_at = matrix.scales_at();
  auto memory = PageMemory::reserve(scales_at + matrix.scales_bytes());
  if (!memory.ok()) return memory.error();
  const auto owned = std::make_shared<PageMemory>(std::move(*memory));
  prefer_huge_pages({owned->data(), owned->size_bytes()});
  matrix.panels = owned->data();
  matrix.scales = owned->data() + scales_at;
  matrix.memory = owned;

  std::vector<RowBuffer> buffers(static_cast<size_t>(threads.size()));
  LowestRow bad;
  threads.parallel_for(panels, 1, [&](int64_t begin, int64_t end, int thread) {
    RowBuffer& buffer = buffers[static_cast<size_t>(thread)];
    for (int64_t p = begin; p < end; ++p) {
      std::byte* panel = owned->data() + p * matrix.panel_stride;
      std::byte* scales = owned->data() + scales_at + p * matrix.scales_stride;
      for (int64_t r = p * kPanelRows; r < std::min(matrix.rows, (p + 1) * kPanelRows); ++r) {
        if (!buffer.read(weights, r, weight_class == WeightClass::kF32)) bad.note(r);
        place_row(weight_class, buffer, r % kPanelRows, panel, scales);
      }
    }
  });
  if (!bad.get()) return matrix;
  return Error{ErrorKind::kInvalid, "", "", not_finite_place(weights, *bad.get()) + " is not finite", ""};
}

}  // namespace ink
