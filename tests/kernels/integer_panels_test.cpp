// Integer panels of every table: near the plain definition in double precision, bit-equal across tables, and
// the same for a row alone as among others.
#include <gtest/gtest.h>

#include "tests/kernels/kernel_inputs.h"

namespace ink {
namespace {

using testing::index;

constexpr int64_t kRowCounts[] = {1, 2, 3, 4, 5, 7, 8, 17};
constexpr int64_t kColCounts[] = {32, 64, 96, 256, 1056};

struct IntegerClass {
  const char* name;
  decltype(KernelTable::panel_int8) KernelTable::*function;
  int low;  // smallest and largest integer that a weight can be
  int high;
  int64_t planes;  // scale vectors per group
};
constexpr IntegerClass kInt8 = {"int8", &KernelTable::panel_int8, -128, 127, 1};
constexpr IntegerClass kInt8Fine = {"int8_fine", &KernelTable::panel_int8_fine, -128, 127, 4};
constexpr IntegerClass kInt4 = {"int4", &KernelTable::panel_int4, 0, 15, 2};
constexpr IntegerClass kClasses[] = {kInt8, kInt8Fine, kInt4};

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

// Weights [16][cols] as integers, and the same packed as the class wants them.
struct Panel {
  std::vector<int> values;
  std::vector<uint8_t> bytes;
  std::vector<float> scales;  // [cols / 32][planes][16]
};

Panel make_panel(const IntegerClass& type, Pattern pattern, int64_t cols, testing::Random& random) {
  Panel panel;
  panel.values.resize(index(kPanelRows * cols));
  panel.bytes.resize(panel.values.size() / (type.high == 15 ? 2 : 1));
  for (int64_t n = 0; n < kPanelRows; ++n) {
    for (int64_t k = 0; k < cols; ++k) {
      const int value = weight_value(type, pattern, k, random);
      panel.values[index(n * cols + k)] = value;
      if (type.high == 15) {
        const int64_t j = k % 16 / 4;
        uint8_t& byte = panel.bytes[index(((k / 32 * 4 + j) * kPanelRows + n) * 4 + k % 4)];
        byte = static_cast<uint8_t>(byte | (k % 32 < 16 ? value : value << 4));
      } else {
        panel.bytes[index((k / 4 * kPanelRows + n) * 4 + k % 4)] = static_cast<uint8_t>(value);
      }
    }
  }
  panel.scales = random.normals(cols / kGroup * type.planes * kPanelRows);
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

// weight = scale * value + offset; the classes differ in which scale belongs to a column.
double weight(const IntegerClass& type, const Panel& panel, int64_t n, int64_t k, int64_t cols) {
  const float* scales = panel.scales.data() + k / kGroup * type.planes * kPanelRows;
  const double value = panel.values[index(n * cols + k)];
  if (type.planes == 1) return scales[n] * value;
  const int64_t half = type.planes == 4 ? k % kGroup / 16 : 0;
  const double scale = scales[half * kPanelRows + n];
  const double offset = scales[(type.planes / 2 + half) * kPanelRows + n];
  return scale * value + offset;
}

std::vector<float> multiply(const KernelTable& table, const IntegerClass& type, const QuantizedRows& x,
                            int64_t first, int64_t rows, const Panel& panel) {
  std::vector<float> out(index(rows * kPanelRows), -1.0f);
  (table.*type.function)(x, first, rows, panel.bytes.data(), panel.scales.data(), out.data());
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
        const double product = weight(type, panel, n, k, cols) * x.q[index(r * cols + k)] * factor;
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
          for (const int64_t cols : kColCounts) {
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
    for (float& scale : panel.scales) scale = 1.0f;
    Activations x = make_activations(Pattern::kSmallest, 1, 64, random);
    for (float& scale : x.scale) scale = 1.0f;
    for (const float value : multiply(*table, kInt8, x.rows, 0, 1, panel)) EXPECT_EQ(value, 128 * 127 * 64);

    panel = make_panel(kInt4, Pattern::kLargest, 64, random);
    for (size_t i = 0; i < panel.scales.size(); ++i)
      panel.scales[i] = i / kPanelRows % 2 == 0 ? 1.0f : -8.0f;  // scale, offset
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
      const Panel panel = make_panel(type, Pattern::kRandom, 96, random);
      Activations x = make_activations(Pattern::kRandom, 5, 96, random);
      const std::vector<float> clean = multiply(*table, type, x.rows, 0, 5, panel);
      x.scale[3 * 3 + 1] = NAN;
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
