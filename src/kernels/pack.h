// Weights as the kernels want them: a matrix from a file repacked once into panels of 16 rows
// (kernel_table.h). Quantized types keep their integers; only their arrangement changes. F32, F16 and BF16
// keep their bits.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "base/threads.h"
#include "kernels/kernel_table.h"
#include "tensor/weight_rows.h"

namespace ink {

// y = x W^T with W [rows, cols]; the last panel is padded with zeros.
struct PackedMatrix {
  WeightClass weight_class = WeightClass::kF32;
  int64_t rows = 0;
  int64_t cols = 0;
  const std::byte* panels = nullptr;
  const std::byte* scales = nullptr;   // unused for float classes
  std::shared_ptr<const void> memory;  // holds both
  int64_t panel_stride = 0;            // bytes from one panel to the next
  int64_t scales_stride = 0;           // and from its scales to the next ones

  // One that has no memory yet.
  static PackedMatrix of(WeightClass weight_class, int64_t rows, int64_t cols);

  const std::byte* panel(int64_t index) const { return panels + index * panel_stride; }
  const std::byte* panel_scales(int64_t index) const { return scales + index * scales_stride; }
  uint64_t panels_bytes() const;
  uint64_t scales_bytes() const;
  // Where one piece of memory holds both: from the first panel to the first scales, a whole number of cache
  // lines.
  uint64_t scales_at() const { return (panels_bytes() + 63) / 64 * 64; }
  uint64_t size_bytes() const { return panels_bytes() + scales_bytes(); }
};

// kExact widens every type to float weights, so that nothing is rounded but sums: the reference for quantized
// files, and four to eight times the memory.
enum class Arithmetic { kFast, kExact };

WeightClass weight_class_for(RowKind kind, Arithmetic arithmetic);
// Bytes a packed matrix takes; for admission before anything is loaded.
uint64_t packed_size_bytes(WeightClass weight_class, int64_t rows, int64_t cols);

// Errors: kTooLarge (memory), kInvalid (a weight or a scale that is not finite; the place is named).
Result<PackedMatrix> pack_matrix(const WeightRows& weights, Arithmetic arithmetic, ThreadPool& threads);

}  // namespace ink
