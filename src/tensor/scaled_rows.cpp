// See tensor/scaled_rows.h.
#include "tensor/scaled_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/half.h"
#include "tensor/quants_blocks.h"

namespace ink {
namespace {

using Floats = std::array<float, 256>;

const Floats& e4m3_values() {
  static const Floats values = [] {
    Floats all{};
    for (size_t bits = 0; bits < all.size(); ++bits) all[bits] = e4m3_to_f32(static_cast<uint8_t>(bits));
    return all;
  }();
  return values;
}

}  // namespace

ScaledRows::ScaledRows(const ScaledLayout& layout)
    : WeightRows(layout.cols % 32 == 0 ? RowKind::kBytes : RowKind::kF32, layout.rows, layout.cols),
      layout_(layout),
      rounds_(layout.dtype != Dtype::kI8 ||
              (layout.block_cols % 32 != 0 && layout.block_cols < layout.cols)) {}

const uint8_t* ScaledRows::row_data(int64_t row) const {
  return reinterpret_cast<const uint8_t*>(layout_.data) + row * cols();
}

float ScaledRows::scale_of(int64_t row, int64_t col) const {
  return layout_.scales.get(row / layout_.block_rows, col / layout_.block_cols);
}

void ScaledRows::read_floats(int64_t row, float* values) const {
  const uint8_t* bytes = row_data(row);
  const Floats& e4m3 = e4m3_values();
  for (int64_t first = 0; first < cols(); first += layout_.block_cols) {
    const float scale = scale_of(row, first);
    const int64_t end = std::min(cols(), first + layout_.block_cols);
    for (int64_t col = first; col < end; ++col) {
      const float value = layout_.dtype == Dtype::kI8 ? static_cast<float>(static_cast<int8_t>(bytes[col]))
                                                      : e4m3[bytes[col]];
      values[col] = scale * value;
    }
  }
}

void ScaledRows::read_groups(int64_t row, Group32* groups) const {
  if (rounds_) {
    std::vector<float> values(static_cast<size_t>(cols()));
    read_floats(row, values.data());
    round_to_bytes(values.data(), cols(), groups);
    return;
  }
  for (int64_t g = 0; g < cols() / 32; ++g) {
    blocks::set_scale(groups[g], scale_of(row, 32 * g));
    std::memcpy(groups[g].q, row_data(row) + 32 * g, 32);
  }
}

std::string ScaledRows::place(int64_t row, int64_t col) const {
  return (std::isfinite(scale_of(row, col)) ? "" : "the scale of ") + WeightRows::place(row, col);
}

}  // namespace ink
