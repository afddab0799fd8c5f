// See kernels/panel_layout.h.
#include "kernels/panel_layout.h"

#include <cstring>

#include "base/half.h"

namespace ink {
namespace {

bool has_super_scales(WeightClass weight_class) {
  return weight_class == WeightClass::kInt4Super || weight_class == WeightClass::kInt6Super;
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

// The low four bits of q + zero.
void place_nibbles(const Group32& group, int zero, int64_t n, std::byte* panel_group) {
  for (int64_t j = 0; j < kGroup / 8; ++j) {
    for (int64_t i = 0; i < 4; ++i) {
      const int low = (group.q[4 * j + i] + zero) & 15;
      const int high = (group.q[16 + 4 * j + i] + zero) & 15;
      panel_group[(j * kPanelRows + n) * 4 + i] = static_cast<std::byte>(low | (high << 4));
    }
  }
}

// The next two bits of q + zero.
void place_high_bits(const Group32& group, int zero, int64_t n, std::byte* high) {
  for (int64_t j = 0; j < 2; ++j) {
    for (int64_t i = 0; i < 4; ++i) {
      int bits = 0;
      for (int64_t quarter = 0; quarter < 4; ++quarter)
        bits |= ((group.q[8 * quarter + 4 * j + i] + zero) >> 4 & 3) << (2 * quarter);
      high[(j * kPanelRows + n) * 4 + i] = static_cast<std::byte>(bits);
    }
  }
}

void place_group(WeightClass weight_class, const Group32& group, int64_t n, int64_t g, std::byte* panel) {
  switch (weight_class) {
    case WeightClass::kInt8:
    case WeightClass::kInt8Half:
    case WeightClass::kInt8Fine:
      place_int8_group(group, n, panel + g * kGroup * kPanelRows);
      break;
    case WeightClass::kInt6Super: {
      std::byte* place = panel + g * kGroup * kPanelRows * 3 / 4;
      place_nibbles(group, 32, n, place);
      place_high_bits(group, 32, n, place + kGroup / 2 * kPanelRows);
      break;
    }
    default:  // nibbles: q is in 0..15 already
      place_nibbles(group, 0, n, panel + g * kGroup / 2 * kPanelRows);
      break;
  }
}

template <typename T>
void put(std::byte* plane, int64_t index, T value) {
  std::memcpy(plane + index * static_cast<int64_t>(sizeof(T)), &value, sizeof value);
}

void place_scales(WeightClass weight_class, const Group32& group, int64_t n, int64_t g, std::byte* plane) {
  switch (weight_class) {
    case WeightClass::kInt4:
      put(plane, 2 * g * kPanelRows + n, group.scale[0]);
      put(plane, (2 * g + 1) * kPanelRows + n, group.offset[0]);
      break;
    case WeightClass::kInt8:
      put(plane, g * kPanelRows + n, group.scale[0]);
      break;
    case WeightClass::kInt4Half:
    case WeightClass::kInt8Half:
      put(plane, g * kPanelRows + n, f32_to_f16(group.scale[0]));  // exact: it was one
      break;
    case WeightClass::kInt8Fine:
      for (int64_t half = 0; half < 2; ++half) {
        put(plane, (4 * g + half) * kPanelRows + n, group.scale[half]);
        put(plane, (4 * g + 2 + half) * kPanelRows + n, group.offset[half]);
      }
      break;
    default:  // two levels: place_super_scales
      break;
  }
}

void place_super_scales(WeightClass weight_class, const SuperScales& scales, int64_t n, int64_t s,
                        std::byte* plane) {
  const bool minima = weight_class == WeightClass::kInt4Super;
  const int64_t halves = minima ? 4 : 2;  // bytes of d and dmin for a row
  std::byte* super = plane + s * (halves + 2 * kGroupsInSuper) * kPanelRows;
  put(super, n, scales.d);
  if (minima) put(super, kPanelRows + n, scales.dmin);
  std::byte* small = super + halves * kPanelRows;
  for (int64_t i = 0; i < 2 * kGroupsInSuper; ++i) {
    const bool is_minimum = minima && i % 2 == 1;
    const uint8_t value = is_minimum ? scales.minimum[i / 2] : scales.scale[minima ? i / 2 : i];
    put(small, i * kPanelRows + n, value);
  }
}

void place_integer_row(WeightClass weight_class, const RowBuffer& row, int64_t n, std::byte* panel,
                       std::byte* scales) {
  for (size_t i = 0; i < row.groups.size(); ++i) {
    const auto g = static_cast<int64_t>(i);
    place_group(weight_class, row.groups[i], n, g, panel);
    place_scales(weight_class, row.groups[i], n, g, scales);
  }
  if (!has_super_scales(weight_class)) return;
  for (size_t i = 0; i < row.supers.size(); ++i)
    place_super_scales(weight_class, row.supers[i], n, static_cast<int64_t>(i), scales);
}

}  // namespace

int64_t panel_bytes(WeightClass weight_class, int64_t cols) {
  switch (weight_class) {
    case WeightClass::kF32:
      return cols * kPanelRows * 4;
    case WeightClass::kF16:
    case WeightClass::kBF16:
      return cols * kPanelRows * 2;
    case WeightClass::kInt4:
    case WeightClass::kInt4Half:
    case WeightClass::kInt4Super:
      return cols * kPanelRows / 2;
    case WeightClass::kInt6Super:
      return cols * kPanelRows * 3 / 4;
    case WeightClass::kInt8:
    case WeightClass::kInt8Half:
    case WeightClass::kInt8Fine:
      return cols * kPanelRows;
  }
  return 0;
}

int64_t panel_scale_bytes(WeightClass weight_class, int64_t cols) {
  const int64_t groups = cols / kGroup;
  switch (weight_class) {
    case WeightClass::kInt4:
      return groups * 2 * kPanelRows * 4;
    case WeightClass::kInt4Half:
    case WeightClass::kInt8Half:
      return groups * kPanelRows * 2;
    case WeightClass::kInt4Super:
      return groups / kGroupsInSuper * (4 + 2 * kGroupsInSuper) * kPanelRows;
    case WeightClass::kInt6Super:
      return groups / kGroupsInSuper * (2 + 2 * kGroupsInSuper) * kPanelRows;
    case WeightClass::kInt8:
      return groups * kPanelRows * 4;
    case WeightClass::kInt8Fine:
      return groups * 4 * kPanelRows * 4;
    default:
      return 0;
  }
}

void place_row(WeightClass weight_class, const RowBuffer& row, int64_t n, std::byte* panel,
               std::byte* scales) {
  if (is_integer_class(weight_class)) {
    place_integer_row(weight_class, row, n, panel, scales);
  } else if (weight_class == WeightClass::kF32) {
    place_float_row(row.floats, n, panel);
  } else {
    place_float_row(row.halves, n, panel);
  }
}

}  // namespace ink
