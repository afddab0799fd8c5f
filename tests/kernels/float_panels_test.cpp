// Float panels of every table against dot products in double precision, and law 1: a row's result does not
// depend on the rows it was computed with.
#include <gtest/gtest.h>

#include "base/half.h"
#include "tests/kernels/kernel_inputs.h"

namespace ink {
namespace {

using testing::index;

constexpr int64_t kRowCounts[] = {1, 2, 3, 4, 5, 7, 8, 17};
constexpr int64_t kColCounts[] = {1, 7, 16, 33, 64, 72, 136, 255, 257, 1000};

// One type of weights: how they are stored, what they mean, which function reads them.
struct FloatClass {
  const char* name;
  decltype(KernelTable::panel_f32) KernelTable::*function;
  bool wide;  // 32 bits, else 16
  uint16_t (*narrow)(float);
  float (*widen)(uint16_t);
};
constexpr FloatClass kClasses[] = {
    {"f32", &KernelTable::panel_f32, true, nullptr, nullptr},
    {"f16", &KernelTable::panel_f16, false, f32_to_f16, f16_to_f32},
    {"bf16", &KernelTable::panel_bf16, false, f32_to_bf16, bf16_to_f32},
};

// A panel with its values: what the file holds and what it means.
struct Panel {
  std::vector<uint16_t> narrow;
  std::vector<float> values;  // [cols][16]

  Panel(const FloatClass& type, std::vector<float> weights) : values(std::move(weights)) {
    for (float& value : values) {
      if (type.wide) continue;
      narrow.push_back(type.narrow(value));
      value = type.widen(narrow.back());
    }
  }
  const void* data() const {
    return narrow.empty() ? static_cast<const void*>(values.data()) : narrow.data();
  }
};

std::vector<float> multiply(const KernelTable& table, const FloatClass& type, const float* x, int64_t rows,
                            int64_t cols, const Panel& panel) {
  std::vector<float> out(index(rows * kPanelRows), -1.0f);
  (table.*type.function)(x, rows, cols, panel.data(), out.data());
  return out;
}

void expect_dot_products(const KernelTable& table, const FloatClass& type, int64_t rows, int64_t cols) {
  testing::Random random(static_cast<uint32_t>(rows * 1000 + cols));
  const std::vector<float> x = random.normals(rows * cols);
  const Panel panel(type, random.normals(cols * kPanelRows));
  std::vector<double> wanted(index(rows * kPanelRows));
  std::vector<double> allowed(index(rows * kPanelRows));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t n = 0; n < kPanelRows; ++n) {
      double sum = 0.0;
      double magnitude = 0.0;
      for (int64_t k = 0; k < cols; ++k) {
        const double product =
            static_cast<double>(x[index(r * cols + k)]) * panel.values[index(k * kPanelRows + n)];
        sum += product;
        magnitude += std::abs(product);
      }
      wanted[index(r * kPanelRows + n)] = sum;
      allowed[index(r * kPanelRows + n)] =
          1e-6 * magnitude;  // 17 roundings; a wrong product is 1000 times that
    }
  }
  const std::vector<float> out = multiply(table, type, x.data(), rows, cols, panel);
  EXPECT_TRUE(testing::close_floats(out, wanted, allowed));
  for (int64_t r = 0; r < rows; ++r) {
    const std::vector<float> alone = multiply(table, type, x.data() + r * cols, 1, cols, panel);
    EXPECT_TRUE(testing::same_floats(alone, std::span(out).subspan(index(r * kPanelRows), kPanelRows)));
  }
}

TEST(FloatPanels, DotProductsWhateverTheOtherRows) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const FloatClass& type : kClasses) {
      for (const int64_t rows : kRowCounts) {
        for (const int64_t cols : kColCounts) {
          SCOPED_TRACE(::testing::Message() << table->name << " " << type.name << " " << rows << "x" << cols);
          expect_dot_products(*table, type, rows, cols);
        }
      }
    }
  }
}

// Each 16-bit pattern as a weight, times one: infinities, NaNs, subnormals and both zeros included.
TEST(FloatPanels, EveryPatternOf16BitsIsWidenedExactly) {
  const float one = 1.0f;
  for (const KernelTable* table : testing::all_tables()) {
    for (const FloatClass& type : {kClasses[1], kClasses[2]}) {
      SCOPED_TRACE(::testing::Message() << table->name << " " << type.name);
      for (uint32_t first = 0; first < 0x10000; first += kPanelRows) {
        uint16_t weights[kPanelRows];
        float wanted[kPanelRows];
        for (uint32_t n = 0; n < kPanelRows; ++n) {
          weights[n] = static_cast<uint16_t>(first + n);
          wanted[n] = 0.0f + type.widen(weights[n]);
        }
        float out[kPanelRows];
        (table->*type.function)(&one, 1, 1, weights, out);
        ASSERT_TRUE(testing::same_floats(out, wanted)) << "from pattern " << first;
      }
    }
  }
}

TEST(FloatPanels, ANanInOneRowStaysInItsRow) {
  testing::Random random(3);
  for (const KernelTable* table : testing::all_tables()) {
    for (const FloatClass& type : kClasses) {
      SCOPED_TRACE(::testing::Message() << table->name << " " << type.name);
      std::vector<float> x = random.normals(5 * 40);
      const Panel panel(type, random.normals(40 * kPanelRows));
      const std::vector<float> clean = multiply(*table, type, x.data(), 5, 40, panel);
      x[2 * 40 + 39] = NAN;
      const std::vector<float> out = multiply(*table, type, x.data(), 5, 40, panel);
      for (size_t i = 0; i < out.size(); ++i) {
        if (i / kPanelRows == 2) {
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
