// Integer panels of every table: near the plain definition in double precision, bit-equal across tables, and
// the same for a row alone as among others.
#include <gtest/gtest.h>

#include "tests/kernels/integer_inputs.h"

namespace ink {
namespace {

using testing::Activations;
using testing::index;
using testing::IntegerClass;
using testing::kClasses;
using testing::kInt4;
using testing::kInt8;
using testing::kPatterns;
using testing::make_activations;
using testing::make_panel;
using testing::multiply;
using testing::Panel;
using testing::Pattern;

constexpr int64_t kRowCounts[] = {1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 64};
constexpr int64_t kColCounts[] = {256, 512, 768, 1024};  // where scales have two levels
constexpr int64_t kOddColCounts[] = {32, 64, 96, 1056};  // where they do not

std::span<const int64_t> col_counts(const IntegerClass& type) {
  return type.super ? std::span<const int64_t>(kColCounts) : std::span<const int64_t>(kOddColCounts);
}

double weight(const Panel& panel, int64_t n, int64_t k) {
  const Group32& group = panel.rows[index(n)].groups[index(k / kGroup)];
  const int64_t half = k % kGroup / 16;
  return static_cast<double>(group.scale[half]) * group.q[k % kGroup] + group.offset[half];
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

// Two panels at once, of different rows of x: the bits of one after the other.
TEST(IntegerPanels, TwoAtOnceBitEqualOneAfterTheOther) {
  for (const KernelTable* table : testing::all_tables()) {
    for (const IntegerClass& type : kClasses) {
      for (const int64_t cols : col_counts(type)) {
        SCOPED_TRACE(::testing::Message() << table->name << " " << type.name << " " << cols);
        testing::Random random(static_cast<uint32_t>(cols));
        const Panel a = make_panel(type, Pattern::kRandom, cols, random);
        const Panel b = make_panel(type, Pattern::kRandom, cols, random);
        const Activations x = make_activations(Pattern::kRandom, 3, cols, random);
        std::vector<float> out_a(kPanelRows, -1.0f);
        std::vector<float> out_b(kPanelRows, -1.0f);
        table->multiply_two_panels(type.weight_class, x.rows,
                                   {2, a.bytes.data(), a.scales.data(), out_a.data()},
                                   {1, b.bytes.data(), b.scales.data(), out_b.data()});
        EXPECT_TRUE(testing::same_floats(out_a, multiply(*table, type, x.rows, 2, 1, a)));
        EXPECT_TRUE(testing::same_floats(out_b, multiply(*table, type, x.rows, 1, 1, b)));
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
