// Integer panels of every table: near the plain definition in double precision, bit-equal across tables, and
// the same for a row alone as among others.
#include <gtest/gtest.h>

#include "base/half.h"
#include "kernels/panel_layout.h"
#include "tests/kernels/kernel_inputs.h"

namespace ink {
namespace {

using testing::index;

constexpr int64_t kRowCounts[] = {1, 2, 3, 4, 5, 7, 8, 9, 10, 17, 64};
constexpr int64_t kColCounts[] = {256, 512, 768, 1024};  // where scales have two levels
constexpr int64_t kOddColCounts[] = {32, 64, 96, 1056};  // where they do not

struct IntegerClass {
  const char* name;
  WeightClass weight_class;
  int low;  // smallest and largest integer that a weight can be
  int high;
  int parts;  // scales in a group
  bool offsets;
  bool super;
};
constexpr IntegerClass kInt4 = {"int4", WeightClass::kInt4, 0, 15, 1, true, false};
constexpr IntegerClass kInt8 = {"int8", WeightClass::kInt8, -128, 127, 1, false, false};
constexpr IntegerClass kClasses[] = {
    kInt4,
    {"int4_half", WeightClass::kInt4Half, 0, 15, 1, true, false},
    {"int4_super", WeightClass::kInt4Super, 0, 15, 1, true, true},
    {"int6_super", WeightClass::kInt6Super, -32, 31, 2, false, true},
    kInt8,
    {"int8_half", WeightClass::kInt8Half, -128, 127, 1, false, false},
    {"int8_fine", WeightClass::kInt8Fine, -128, 127, 2, true, false},
};

std::span<const int64_t> col_counts(const IntegerClass& type) {
  return type.super ? std::span<const int64_t>(kColCounts) : std::span<const int64_t>(kOddColCounts);
}

enum class Pattern {
  kRandom,
  kLargest,      // every weight and activation at its upper end: sums of products as large as they get
  kSmallest,     // weights at their lower end (-128) against activations of -127
  kAlternating,  // signs flip from column to column
  kZeros,
};
constexpr Pattern kPatterns[] = {Pattern::kRandom, Pattern::kLargest, Pattern::kSmallest,
                                 Pattern::kAlternating, Pattern::kZeros};

int weight_value(const IntegerClass& type, Pattern pattern, int64_t col, testing::Random& random) {
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

int activation(Pattern pattern, int64_t col, testing::Random& random) {
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

float as_f16(float value) { return f16_to_f32(f32_to_f16(value)); }

// Scales of one group, as the class can hold them.
void make_scales(const IntegerClass& type, Group32& group, testing::Random& random) {
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

void make_super_scales(const IntegerClass& type, RowBuffer& row, testing::Random& random) {
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

Panel make_panel(const IntegerClass& type, Pattern pattern, int64_t cols, testing::Random& random) {
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

Activations make_activations(Pattern pattern, int64_t rows, int64_t cols, testing::Random& random) {
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

double weight(const Panel& panel, int64_t n, int64_t k) {
  const Group32& group = panel.rows[index(n)].groups[index(k / kGroup)];
  const int64_t half = k % kGroup / 16;
  return static_cast<double>(group.scale[half]) * group.q[k % kGroup] + group.offset[half];
}

std::vector<float> multiply(const KernelTable& table, const IntegerClass& type, const QuantizedRows& x,
                            int64_t first, int64_t rows, const Panel& panel) {
  std::vector<float> out(index(rows * kPanelRows), -1.0f);
  table.integer_panel(type.weight_class)(x, first, rows, panel.bytes.data(), panel.scales.data(), out.data());
  return out;
}

void expect_products(const KernelTable& table, const IntegerClass& type, Pattern pattern, int64_t rows,
                     int64_t cols) {
  testing::Random random(static_cast<uint32_t>(rows * 10000 + cols));
  const Panel panel = make_panel(type, pattern, cols, random);
  const Activations x = make_activations(pattern, rows, cols, random);
  const std::vector<float> out = multiply(table, type, x.rows, 0, rows, panel);

  std::vector<double> wanted(out.size());
  std::vector<double> allowed(out.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t n = 0; n < kPanelRows; ++n) {
      double sum = 0.0;
      double magnitude = 0.0;
      for (int64_t k = 0; k < cols; ++k) {
        const double factor = static_cast<double>(x.scale[index((r * cols + k) / kGroup)]);
        const double product = weight(panel, n, k) * x.q[index(r * cols + k)] * factor;
        sum += product;
        magnitude += std::abs(product);
      }
      wanted[index(r * kPanelRows + n)] = sum;
      // Scale and offset parts may cancel within a group, hence the absolute part.
      allowed[index(r * kPanelRows + n)] = 1e-6 * magnitude + 1e-3;
    }
  }
  EXPECT_TRUE(testing::close_floats(out, wanted, allowed));
  const std::vector<float> specified =
      multiply(*available_kernel_tables().table[0], type, x.rows, 0, rows, panel);
  EXPECT_TRUE(testing::same_floats(out, specified));
  for (int64_t r = 0; r < rows; ++r) {
    const std::vector<float> alone = multiply(table, type, x.rows, r, 1, panel);
    EXPECT_TRUE(testing::same_floats(alone, std::span(out).subspan(index(r * kPanelRows), kPanelRows)));
  }
}

TEST(IntegerPanels, ProductsBitEqualAcrossTablesAndRows) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const IntegerClass& type : kClasses) {
      for (const Pattern pattern : kPatterns) {
        for (const int64_t rows : kRowCounts) {
          for (const int64_t cols : col_counts(type)) {
            SCOPED_TRACE(::testing::Message() << table->name << " " << type.name << " pattern "
                                              << static_cast<int>(pattern) << " " << rows << "x" << cols);
            expect_products(*table, type, pattern, rows, cols);
          }
        }
      }
    }
  }
}

// Exact where floats can be: weights 128 * 127 * 32 per group with unit scales.
TEST(IntegerPanels, LargestSumsAreExact) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    testing::Random random(1);
    Panel panel = make_panel(kInt8, Pattern::kSmallest, 64, random);
    const auto set_scales = [&](const IntegerClass& type, float offset) {
      for (RowBuffer& row : panel.rows) {
        for (Group32& group : row.groups) {
          for (int half = 0; half < 2; ++half) {
            group.scale[half] = 1.0f;
            group.offset[half] = offset;
          }
        }
      }
      panel.pack(type);
    };
    set_scales(kInt8, 0.0f);
    Activations x = make_activations(Pattern::kSmallest, 1, 64, random);
    for (float& scale : x.scale) scale = 1.0f;
    for (const float value : multiply(*table, kInt8, x.rows, 0, 1, panel)) EXPECT_EQ(value, 128 * 127 * 64);

    panel = make_panel(kInt4, Pattern::kLargest, 64, random);
    set_scales(kInt4, -8.0f);
    x = make_activations(Pattern::kLargest, 1, 64, random);
    for (float& scale : x.scale) scale = 1.0f;
    for (const float value : multiply(*table, kInt4, x.rows, 0, 1, panel))
      EXPECT_EQ(value, (15 - 8) * 127 * 64);
  }
}

TEST(IntegerPanels, ANanScaleShowsInItsRowOnly) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const IntegerClass& type : kClasses) {
      SCOPED_TRACE(::testing::Message() << table->name << " " << type.name);
      testing::Random random(2);
      const Panel panel = make_panel(type, Pattern::kRandom, 256, random);
      Activations x = make_activations(Pattern::kRandom, 5, 256, random);
      const std::vector<float> clean = multiply(*table, type, x.rows, 0, 5, panel);
      x.scale[3 * 256 / kGroup + 1] = NAN;
      const std::vector<float> out = multiply(*table, type, x.rows, 0, 5, panel);
      for (size_t i = 0; i < out.size(); ++i) {
        if (i / kPanelRows == 3) {
          EXPECT_TRUE(std::isnan(out[i]));
        } else {
          EXPECT_EQ(out[i], clean[i]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace ink
