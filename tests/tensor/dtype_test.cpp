// The table of element types: every id leads to its own entry, and row lengths are checked.
#include "tensor/dtype.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string_view>

namespace ink {
namespace {

TEST(Dtype, IdsAndNamesAreUnique) {
  std::set<std::string_view> names;
  for (uint32_t id = 0; id < 1000; ++id) {
    const DtypeInfo* info = find_dtype(id);
    if (info == nullptr) continue;
    EXPECT_EQ(static_cast<uint32_t>(info->dtype), id);
    EXPECT_EQ(&dtype_info(info->dtype), info);
    EXPECT_TRUE(names.insert(info->name).second) << info->name;
    EXPECT_EQ(info->is_quantized, info->block_elements > 1);
  }
  EXPECT_EQ(names.size(), 31u);
}

TEST(Dtype, UnknownIdsAreNotFound) {
  // 4 and 5 were Q4_2 and Q4_3, 31 to 33 repacked Q4_0; Q8_1 (9) and Q8_K (15) never stand in files.
  for (const uint32_t id : {4u, 5u, 9u, 15u, 31u, 32u, 33u, 63u, 64u, 65u, 0x80000000u, 0xffffffffu}) {
    EXPECT_EQ(find_dtype(id), nullptr) << id;
  }
}

TEST(Dtype, SizesFillWholeBlocks) {
  EXPECT_EQ(size_bytes_of(Dtype::kF32, 5), 20u);
  EXPECT_EQ(size_bytes_of(Dtype::kBF16, 0), 0u);
  EXPECT_EQ(size_bytes_of(Dtype::kQ4_K, 512), 288u);
  EXPECT_EQ(size_bytes_of(Dtype::kQ8_0, 32), 34u);
  EXPECT_EQ(size_bytes_of(Dtype::kQ8_0, 33), std::nullopt);
  EXPECT_EQ(size_bytes_of(Dtype::kQ4_K, 32), std::nullopt);
}

TEST(Dtype, SizesDoNotOverflow) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(size_bytes_of(Dtype::kI8, kMax), kMax);
  EXPECT_EQ(size_bytes_of(Dtype::kF32, kMax / 4), kMax / 4 * 4);
  EXPECT_EQ(size_bytes_of(Dtype::kF32, kMax / 4 + 1), std::nullopt);
  EXPECT_EQ(size_bytes_of(Dtype::kQ8_0, kMax / 32 * 32), std::nullopt);
}

}  // namespace
}  // namespace ink
