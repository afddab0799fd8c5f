// Matrices of small integers with a scale, and a zero point or an offset, per group of columns: what GPTQ,
// AWQ, compressed-tensors' packed formats and MLX store. weight = scale * (code - zero), or scale * code +
// offset.
//
// Exact as nibbles (up to 4 bits) or bytes where groups are made of whole 32s in the order of the columns.
// The one rounding on the way, of the offset in f32, is none for 16-bit scales with zero points and at most
// half a unit in the last place of f32 otherwise. Where columns belong to groups in another order (GPTQ's
// desc_act, "act order") no scale is common to 32 neighbours. Such a matrix is rounded once more, to bytes
// with one scale per 32: an error of at most 1/254 of the largest weight of the 32, against 1/16 to 1/30 by
// the 4 bits before. The other way, sorting the columns and, at every step, the activations, would be exact
// but is a gather per matrix and step.
#pragma once

#include <optional>

#include "tensor/packed_codes.h"
#include "tensor/weight_rows.h"

namespace ink {

// Floats of one type by row of the matrix and group.
struct FloatTable {
  Dtype dtype = Dtype::kF16;  // kF32, kF16 or kBF16
  const std::byte* data = nullptr;
  int64_t row_stride = 0;  // elements from one row of the matrix to the next
  int64_t group_stride = 1;

  float get(int64_t row, int64_t group) const;
};

struct GroupedLayout {
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t group_size = 0;  // columns; the last group of a row may be shorter
  PackedCodes codes;
  bool codes_by_column = false;      // a line of codes is a column of the matrix, else a row
  std::optional<PackedCodes> zeros;  // a line is a group, a value in it a row of the matrix
  uint32_t zero = 0;                 // of every group, where there are no `zeros`
  FloatTable scales;
  std::optional<FloatTable> offsets;           // instead of zero points
  const std::byte* group_of_column = nullptr;  // i32 [cols], checked by the caller; null: by group_size
};

class GroupedRows : public WeightRows {
 public:
  explicit GroupedRows(const GroupedLayout& layout);

  void read_floats(int64_t row, float* values) const override;
  void read_groups(int64_t row, Group32* groups) const override;
  std::string place(int64_t row, int64_t col) const override;

 private:
  int64_t group_of(int64_t col) const;
  int zero_of(int64_t row, int64_t group) const;
  void read_codes(int64_t row, uint8_t* codes) const;

  GroupedLayout layout_;
  bool rounds_;  // no scale is common to 32 neighbours
};

// Rounds to bytes with one scale per 32, the largest magnitude becoming 127. Groups that hold a number that
// is not finite get a scale that is not finite.
void round_to_bytes(const float* values, int64_t cols, Group32* groups);

}  // namespace ink
