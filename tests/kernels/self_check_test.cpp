// A table with any function broken is found out and not offered.
#include "kernels/self_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "kernels/portable/portable.h"
#include "tests/kernels/kernel_inputs.h"

namespace ink {
namespace {

// One bit of one row is wrong: the last of 33, which the last tile of a table with tiles computes.
template <WeightClass kClass>
void slightly_wrong(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* panel,
                    const void* scales, float* out) {
  portable_kernels().integer_panel(kClass)(x, first_row, rows, panel, scales, out);
  float& last = out[rows * kPanelRows - 1];
  last = std::nextafter(last, 2.0f * last);
}

template <WeightClass kClass>
void expect_refused() {
  KernelTable broken = portable_kernels();
  broken.name = "broken";
  broken.integer_panel(kClass) = slightly_wrong<kClass>;
  EXPECT_FALSE(same_integer_panels(broken, portable_kernels()));
  KernelTables tables = {};
  ::testing::internal::CaptureStderr();
  offer_if_same(broken, portable_kernels(), tables);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(tables.count, 0);
  EXPECT_NE(said.find("broken"), std::string::npos) << said;
  EXPECT_EQ(said.find('\n'), said.size() - 1) << said;
}

TEST(SelfCheck, RefusesATableThatDiffersInAnyClass) {
  expect_refused<WeightClass::kInt4>();
  expect_refused<WeightClass::kInt4Half>();
  expect_refused<WeightClass::kInt4Super>();
  expect_refused<WeightClass::kInt6Super>();
  expect_refused<WeightClass::kInt8>();
  expect_refused<WeightClass::kInt8Half>();
  expect_refused<WeightClass::kInt8Fine>();
}

TEST(SelfCheck, OffersEveryTableOfThisProcessor) {
  for (const KernelTable* table : testing::all_tables()) {
    KernelTables tables = {};
    offer_if_same(*table, portable_kernels(), tables);
    ASSERT_EQ(tables.count, 1) << table->name;
    EXPECT_EQ(tables.table[0], table);
  }
}

}  // namespace
}  // namespace ink
