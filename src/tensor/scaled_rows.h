// Matrices of one byte per weight, int8 or FP8 (e4m3), with a scale per block of the matrix: the whole, a
// row, a part of a row, or a rectangle such as 128 x 128.
//
// int8 is exact. FP8 is rounded to bytes with one scale per 32 columns. Its values times a 16-bit scale have
// up to 12 significant bits: neither bf16 nor f16 holds them all, f32 would take four times the memory, and
// 16 bits twice. Rounding to bytes changes a row of normally distributed weights by 0.55 % (root mean
// square); the FP8 rounding before it, by 2.7 %. Arithmetic::kExact reads the floats and rounds nothing.
#pragma once

#include "tensor/grouped_rows.h"

namespace ink {

struct ScaledLayout {
  int64_t rows = 0;
  int64_t cols = 0;
  Dtype dtype = Dtype::kI8;  // or kF8_E4M3
  const std::byte* data = nullptr;
  int64_t block_rows = 1;
  int64_t block_cols = 1;
  FloatTable scales;  // by block of rows and block of columns
};

class ScaledRows : public WeightRows {
 public:
  explicit ScaledRows(const ScaledLayout& layout);

  void read_floats(int64_t row, float* values) const override;
  void read_groups(int64_t row, Group32* groups) const override;
  std::string place(int64_t row, int64_t col) const override;

 private:
  float scale_of(int64_t row, int64_t col) const;
  const uint8_t* row_data(int64_t row) const;

  ScaledLayout layout_;
  bool rounds_;
};

}  // namespace ink
