// See tensor/grouped_rows.h.
#include "tensor/grouped_rows.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/half.h"
#include "tensor/quants_blocks.h"

namespace ink {
namespace {

constexpr int kByteShift = 128;  // codes of 8 bits become int8 by it

int32_t load_i32(const std::byte* data, int64_t index) {
  return static_cast<int32_t>(blocks::load_u32(reinterpret_cast<const uint8_t*>(data) + 4 * index));
}

// Whether each 32 columns have one group.
bool groups_are_whole(const GroupedLayout& layout) {
  if (layout.group_of_column == nullptr)
    return layout.group_size % 32 == 0 || layout.group_size >= layout.cols;
  for (int64_t col = 0; col < layout.cols; ++col) {
    const int32_t group = load_i32(layout.group_of_column, col);
    if (group != load_i32(layout.group_of_column, col / 32 * 32)) return false;
  }
  return true;
}

// Whether every group's zero point is in the middle of the codes.
bool is_symmetric(const GroupedLayout& layout) {
  const uint32_t middle = 1u << (layout.codes.bits - 1);
  if (layout.offsets) return false;
  if (!layout.zeros) return layout.zero == middle;
  const int64_t groups = (layout.cols + layout.group_size - 1) / layout.group_size;
  return layout.zeros->all_are(middle, groups, layout.rows);
}

RowKind kind_of(const GroupedLayout& layout) {
  const int bits = layout.codes.bits;
  const bool half_scales = layout.scales.dtype == Dtype::kF16;
  if (layout.cols % 32 != 0) return RowKind::kF32;
  if (!groups_are_whole(layout)) return RowKind::kBytes;
  if (bits == 4 && half_scales && is_symmetric(layout)) return RowKind::kHalfNibbles;
  if (bits <= 4) return RowKind::kNibbles;
  if (bits < 8 || !is_symmetric(layout)) return RowKind::kFineBytes;
  return half_scales ? RowKind::kHalfBytes : RowKind::kBytes;
}

}  // namespace

float FloatTable::get(int64_t row, int64_t group) const {
  const int64_t index = row * row_stride + group * group_stride;
  const auto* bytes = reinterpret_cast<const uint8_t*>(data);
  if (dtype == Dtype::kF32) return std::bit_cast<float>(blocks::load_u32(bytes + 4 * index));
  const uint16_t bits = blocks::load_u16(bytes + 2 * index);
  return dtype == Dtype::kF16 ? f16_to_f32(bits) : bf16_to_f32(bits);
}

GroupedRows::GroupedRows(const GroupedLayout& layout)
    : WeightRows(kind_of(layout), layout.rows, layout.cols),
      layout_(layout),
      rounds_(!groups_are_whole(layout)) {}

int64_t GroupedRows::group_of(int64_t col) const {
  return layout_.group_of_column == nullptr ? col / layout_.group_size
                                            : load_i32(layout_.group_of_column, col);
}

int GroupedRows::zero_of(int64_t row, int64_t group) const {
  return static_cast<int>(layout_.zeros ? layout_.zeros->get(group, row) : layout_.zero);
}

void GroupedRows::read_codes(int64_t row, uint8_t* codes) const {
  if (layout_.codes_by_column) {
    layout_.codes.read_across(row, cols(), codes);
  } else {
    layout_.codes.read_line(row, cols(), codes);
  }
}

void GroupedRows::read_floats(int64_t row, float* values) const {
  std::vector<uint8_t> codes(static_cast<size_t>(cols()));
  read_codes(row, codes.data());
  int64_t group = -1;
  float scale = 0;
  float offset = 0;
  int zero = 0;
  for (int64_t col = 0; col < cols(); ++col) {
    if (const int64_t next = group_of(col); next != group) {
      group = next;
      scale = layout_.scales.get(row, group);
      if (layout_.offsets) {
        offset = layout_.offsets->get(row, group);
      } else {
        zero = zero_of(row, group);
      }
    }
    values[col] = scale * static_cast<float>(codes[static_cast<size_t>(col)] - zero) + offset;
  }
}

void GroupedRows::read_groups(int64_t row, Group32* groups) const {
  INK_CHECK(cols() % 32 == 0, "groups of 32 fill the row");
  if (rounds_) {
    std::vector<float> values(static_cast<size_t>(cols()));
    read_floats(row, values.data());
    round_to_bytes(values.data(), cols(), groups);
    return;
  }
  std::vector<uint8_t> codes(static_cast<size_t>(cols()));
  read_codes(row, codes.data());
  const int shift = layout_.codes.bits == 8 ? kByteShift : 0;
  for (int64_t g = 0; g < cols() / 32; ++g) {
    const int64_t group = group_of(32 * g);
    const float scale = layout_.scales.get(row, group);
    const float offset = layout_.offsets
                             ? layout_.offsets->get(row, group) + scale * static_cast<float>(shift)
                             : scale * static_cast<float>(shift - zero_of(row, group));
    blocks::set_scale(groups[g], scale, offset);
    for (int64_t i = 0; i < 32; ++i)
      groups[g].q[i] = blocks::to_q(codes[static_cast<size_t>(32 * g + i)] - shift);
  }
}

std::string GroupedRows::place(int64_t row, int64_t col) const {
  const bool scale = !std::isfinite(layout_.scales.get(row, group_of(col)));
  return std::string(scale ? "the scale" : "the offset") + " of " + WeightRows::place(row, col);
}

void round_to_bytes(const float* values, int64_t cols, Group32* groups) {
  for (int64_t g = 0; g < cols / 32; ++g, values += 32) {
    float largest = 0;
    bool finite = true;
    for (int i = 0; i < 32; ++i) {
      largest = std::max(largest, std::abs(values[i]));
      finite = finite && std::isfinite(values[i]);
    }
    const float scale = largest / 127.0f;
    const bool tiny = !(scale >= std::numeric_limits<float>::min());  // 1 / scale would overflow
    blocks::set_scale(groups[g], !finite ? std::numeric_limits<float>::quiet_NaN() : tiny ? 0.0f : scale);
    for (int i = 0; i < 32; ++i) {
      groups[g].q[i] =
          finite && !tiny ? blocks::to_q(static_cast<int>(std::nearbyint(values[i] / scale))) : int8_t{0};
    }
  }
}

}  // namespace ink
