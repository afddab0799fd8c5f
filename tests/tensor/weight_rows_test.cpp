// Rows of plain types: the kind of each type, the three ways to read a row, and numbers that are not finite.
#include "tensor/weight_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.h"

namespace ink {
namespace {

template <typename T>
const std::byte* bytes_of(const std::vector<T>& values) {
  return reinterpret_cast<const std::byte*>(values.data());
}

TEST(WeightRows, TheKindFollowsFromTheType) {
  const std::vector<std::byte> none(4096);
  const auto kind = [&](Dtype dtype) { return PlainRows(dtype, none.data(), 1, 256).kind(); };
  EXPECT_EQ(kind(Dtype::kF32), RowKind::kF32);
  EXPECT_EQ(kind(Dtype::kF16), RowKind::kF16);
  EXPECT_EQ(kind(Dtype::kBF16), RowKind::kBF16);
  EXPECT_EQ(kind(Dtype::kQ4_0), RowKind::kHalfNibbles);
  EXPECT_EQ(kind(Dtype::kQ4_1), RowKind::kNibbles);
  EXPECT_EQ(kind(Dtype::kQ4_K), RowKind::kSuperNibbles);
  EXPECT_EQ(kind(Dtype::kQ8_0), RowKind::kHalfBytes);
  EXPECT_EQ(kind(Dtype::kQ6_K), RowKind::kSuperSixBits);
  EXPECT_EQ(kind(Dtype::kQ5_1), RowKind::kFineBytes);
}

TEST(WeightRows, HalvesKeepTheirBitsAndFloatsTheirValues) {
  const std::vector<uint16_t> bits = {0x3c00, 0xbc00, 0x0001, 0x7bff, 0x8000, 0x3555};
  const PlainRows rows(Dtype::kF16, bytes_of(bits), 2, 3);
  std::vector<uint16_t> read(3);
  rows.read_halves(1, read.data());
  EXPECT_EQ(read, std::vector<uint16_t>(bits.begin() + 3, bits.end()));
  std::vector<float> values(3);
  rows.read_floats(0, values.data());
  EXPECT_EQ(values, (std::vector<float>{1.0f, -1.0f, f16_to_f32(1)}));
}

TEST(WeightRows, ABufferSaysWhetherEveryNumberIsFinite) {
  constexpr float kBad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()};
  RowBuffer buffer;
  for (const float bad : kBad) {
    std::vector<float> values(3 * 32, 1.0f);
    EXPECT_TRUE(buffer.read(PlainRows(Dtype::kF32, bytes_of(values), 3, 32), 1, false));
    values[32 + 31] = bad;
    const PlainRows floats(Dtype::kF32, bytes_of(values), 3, 32);
    EXPECT_TRUE(buffer.read(floats, 0, false));
    EXPECT_FALSE(buffer.read(floats, 1, false));
    for (const Dtype dtype : {Dtype::kF16, Dtype::kBF16, Dtype::kQ8_0}) {
      std::vector<std::byte> row(*size_bytes_of(dtype, 32));
      ASSERT_TRUE(quantize_row(dtype, values.data(), 32, row.data()));
      EXPECT_TRUE(buffer.read(PlainRows(dtype, row.data(), 1, 32), 0, false));
      const uint16_t bits = dtype == Dtype::kBF16 ? f32_to_bf16(bad) : f32_to_f16(bad);
      std::memcpy(row.data(), &bits, sizeof bits);  // the first weight, or the scale
      EXPECT_FALSE(buffer.read(PlainRows(dtype, row.data(), 1, 32), 0, false));
      EXPECT_FALSE(buffer.read(PlainRows(dtype, row.data(), 1, 32), 0, true));
    }
  }
}

TEST(WeightRows, TheFirstPlaceIsNamedWhateverTheThreads) {
  std::vector<float> values(1000 * 3, 1.0f);
  for (int count = 1; count <= 3; ++count) {
    ThreadPool threads(count);
    EXPECT_EQ(find_not_finite(PlainRows(Dtype::kF32, bytes_of(values), 1000, 3), threads), std::nullopt);
  }
  values[3 * 517 + 2] = std::numeric_limits<float>::infinity();
  values[3 * 518] = values[3 * 999] = std::numeric_limits<float>::quiet_NaN();
  for (int count = 1; count <= 3; ++count) {
    ThreadPool threads(count);
    EXPECT_EQ(find_not_finite(PlainRows(Dtype::kF32, bytes_of(values), 1000, 3), threads),
              "row 517, column 2");
  }
}

}  // namespace
}  // namespace ink
