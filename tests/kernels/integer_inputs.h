// What the tests of integer panels share: the classes, and panels and activations made up for them.
#pragma once

#include "base/half.h"
#include "kernels/panel_layout.h"
#include "tests/kernels/kernel_inputs.h"

namespace ink::testing {

struct IntegerClass {
  const char* name;
  WeightClass weight_class;
  int low;  // smallest and largest integer that a weight can be
  int high;
  int parts;  // scales in a group
  bool offsets;
  bool super;
};
inline constexpr IntegerClass kInt4 = {"int4", WeightClass::kInt4, 0, 15, 1, true, false};
inline constexpr IntegerClass kInt8 = {"int8", WeightClass::kInt8, -128, 127, 1, false, false};
inline constexpr IntegerClass kClasses[] = {
    kInt4,
    {"int4_half", WeightClass::kInt4Half, 0, 15, 1, true, false},
    {"int4_super", WeightClass::kInt4Super, 0, 15, 1, true, true},
    {"int6_super", WeightClass::kInt6Super, -32, 31, 2, false, true},
    kInt8,
    {"int8_half", WeightClass::kInt8Half, -128, 127, 1, false, false},
    {"int8_fine", WeightClass::kInt8Fine, -128, 127, 2, true, false},
};

enum class Pattern {
  kRandom,
  kLargest,      // every weight and activation at its upper end: sums of products as large as they get
  kSmallest,     // weights at their lower end (-128) against activations of -127
  kAlternating,  // signs flip from column to column
  kZeros,
};
inline constexpr Pattern kPatterns[] = {Pattern::kRandom, Pattern::kLargest, Pattern::kSmallest,
                                        Pattern::kAlternating, Pattern::kZeros};

inline int weight_value(const IntegerClass& type, Pattern pattern, int64_t col, Random& random) {
  switch (pattern) {
    case Pattern::kRandom:
      return random.integer(type.low, type.high);
    case Pattern::kLargest:
      return type.high;
    case Pattern::kSmallest:
      return type.low;
    case Pattern::kAlternating:
      return col % 2 == 0 ? type.low : type.high;
    case Pattern::kZeros:
      return 0;
  }
  return 0;
}

inline int activation(Pattern pattern, int64_t col, Random& random) {
  switch (pattern) {
    case Pattern::kRandom:
      return random.integer(-127, 127);
    case Pattern::kLargest:
      return 127;
    case Pattern::kSmallest:
      return -127;
    case Pattern::kAlternating:
      return col % 2 == 0 ? -127 : 127;
    case Pattern::kZeros:
      return 0;
  }
  return 0;
}

// Sixteen rows as a file gives them, and the same packed as the class wants them.
struct Panel {
  std::vector<RowBuffer> rows;
  std::vector<std::byte> bytes;
  std::vector<std::byte> scales;

  void pack(const IntegerClass& type) {
    const auto cols = static_cast<int64_t>(rows[0].groups.size()) * kGroup;
    bytes.assign(index(panel_bytes(type.weight_class, cols)), std::byte{0});
    scales.assign(index(panel_scale_bytes(type.weight_class, cols)), std::byte{0});
    for (int64_t n = 0; n < kPanelRows; ++n)
      place_row(type.weight_class, rows[index(n)], n, bytes.data(), scales.data());
  }
};

inline float as_f16(float value) { return f16_to_f32(f32_to_f16(value)); }

// Scales of one group, as the class can hold them.
inline void make_scales(const IntegerClass& type, Group32& group, Random& random) {
  for (int half = 0; half < 2; ++half) {
    if (half >= type.parts) {
      group.scale[half] = group.scale[0];
      group.offset[half] = group.offset[0];
      continue;
    }
    group.scale[half] = random.normal();
    group.offset[half] = type.offsets ? random.normal() : 0.0f;
    const bool half_precision =
        type.weight_class == WeightClass::kInt4Half || type.weight_class == WeightClass::kInt8Half;
    if (half_precision) group.scale[half] = as_f16(group.scale[half]);
    if (type.weight_class == WeightClass::kInt4Half) group.offset[half] = -8.0f * group.scale[half];
  }
}

inline void make_super_scales(const IntegerClass& type, RowBuffer& row, Random& random) {
  for (size_t s = 0; s < row.groups.size() / kGroupsInSuper; ++s) {
    SuperScales super = {f32_to_f16(0.03f * random.normal()), f32_to_f16(0.03f * random.normal()), {}, {}};
    if (type.weight_class == WeightClass::kInt6Super) super.dmin = 0;
    for (uint8_t& scale : super.scale) {
      scale = type.offsets ? static_cast<uint8_t>(random.integer(0, 63))
                           : static_cast<uint8_t>(random.integer(-128, 127));
    }
    for (uint8_t& minimum : super.minimum) minimum = static_cast<uint8_t>(random.integer(0, 63));
    for (size_t g = 0; g < kGroupsInSuper; ++g) {
      Group32& group = row.groups[s * kGroupsInSuper + g];
      for (size_t half = 0; half < 2; ++half) {
        const float scale = type.offsets ? static_cast<float>(super.scale[g])
                                         : static_cast<float>(static_cast<int8_t>(super.scale[2 * g + half]));
        group.scale[half] = f16_to_f32(super.d) * scale;
        group.offset[half] =
            type.offsets ? -(f16_to_f32(super.dmin) * static_cast<float>(super.minimum[g])) : 0.0f;
      }
    }
    row.supers.push_back(super);
  }
}

inline Panel make_panel(const IntegerClass& type, Pattern pattern, int64_t cols, Random& random) {
  Panel panel;
  panel.rows.resize(kPanelRows);
  for (RowBuffer& row : panel.rows) {
    row.groups.resize(index(cols / kGroup));
    for (size_t g = 0; g < row.groups.size(); ++g) {
      for (int i = 0; i < kGroup; ++i)
        row.groups[g].q[i] = static_cast<int8_t>(weight_value(type, pattern, i, random));
      if (!type.super) make_scales(type, row.groups[g], random);
    }
    if (type.super) make_super_scales(type, row, random);
  }
  panel.pack(type);
  return panel;
}

struct Activations {
  std::vector<int8_t> q;
  std::vector<float> scale;
  std::vector<int32_t> sum16;
  QuantizedRows rows;
};

inline Activations make_activations(Pattern pattern, int64_t rows, int64_t cols, Random& random) {
  Activations x;
  for (int64_t i = 0; i < rows * cols; ++i)
    x.q.push_back(static_cast<int8_t>(activation(pattern, i % cols, random)));
  for (int64_t i = 0; i < rows * cols / kGroup; ++i)
    x.scale.push_back(0.01f * std::abs(random.normal()) * (i % 3 == 0 ? 60.0f : 1.0f));  // some outliers
  for (int64_t i = 0; i < rows * cols / 16; ++i) {
    int32_t sum = 0;
    for (int64_t k = 0; k < 16; ++k) sum += x.q[index(16 * i + k)];
    x.sum16.push_back(sum);
  }
  x.rows = {x.q.data(), x.scale.data(), x.sum16.data(), cols};
  return x;
}

inline std::vector<float> multiply(const KernelTable& table, const IntegerClass& type, const QuantizedRows& x,
                                   int64_t first, int64_t rows, const Panel& panel) {
  std::vector<float> out(index(rows * kPanelRows), -1.0f);
  table.integer_panel(type.weight_class)(x, first, rows, panel.bytes.data(), panel.scales.data(), out.data());
  return out;
}

}  // namespace ink::testing
