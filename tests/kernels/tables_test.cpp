#include <gtest/gtest.h>

#include <cstring>

#include "base/cpu_features.h"
#include "tests/kernels/kernel_inputs.h"

namespace ink {
namespace {

TEST(KernelTables, FirstIsPortableAndEveryNameFindsItsTable) {
  const KernelTables& tables = available_kernel_tables();
  ASSERT_GE(tables.count, 1);
  EXPECT_STREQ(tables.table[0]->name, "portable");
  for (const KernelTable* table : testing::all_tables()) EXPECT_EQ(find_kernel_table(table->name), table);
}

TEST(KernelTables, UnknownNamesFindNothing) {
  EXPECT_EQ(find_kernel_table(""), nullptr);
  EXPECT_EQ(find_kernel_table("sse9"), nullptr);
  EXPECT_EQ(find_kernel_table("PORTABLE"), nullptr);
}

TEST(KernelTables, Avx2IsOfferedExactlyWhereTheProcessorHasIt) {
  const CpuFeatures& cpu = cpu_features();
  EXPECT_EQ(find_kernel_table("avx2") != nullptr, cpu.avx2 && cpu.fma && cpu.f16c);
}

TEST(KernelTables, VnniIsOfferedWhereTheProcessorHasIt) {
  const CpuFeatures& cpu = cpu_features();
  EXPECT_EQ(find_kernel_table("avx2vnni") != nullptr, cpu.avx_vnni);
  EXPECT_EQ(find_kernel_table("avx512vnni") != nullptr, cpu.avx512 && cpu.avx512_vnni);
}

TEST(KernelTables, AmxIsOfferedWhereTheProcessorAndTheSystemHaveIt) {
  const CpuFeatures& cpu = cpu_features();
  EXPECT_EQ(find_kernel_table("amx") != nullptr, cpu.avx512 && cpu.avx512_vnni && cpu.amx_int8);
}

TEST(KernelTables, NoFunctionIsMissing) {
  for (const KernelTable* table : testing::all_tables()) {
    SCOPED_TRACE(table->name);
    EXPECT_NE(table->panel_f32, nullptr);
    EXPECT_NE(table->panel_f16, nullptr);
    EXPECT_NE(table->panel_bf16, nullptr);
    for (const auto panel : table->integer_panels) EXPECT_NE(panel, nullptr);
    EXPECT_NE(table->quantize_row, nullptr);
    EXPECT_NE(table->rms_norm_row, nullptr);
    EXPECT_NE(table->attend_floats, nullptr);
    EXPECT_NE(table->to_f16, nullptr);
    EXPECT_NE(table->rotate_row, nullptr);
    EXPECT_NE(table->round_row, nullptr);
    EXPECT_NE(table->attend_integers, nullptr);
    EXPECT_NE(table->silu_mul, nullptr);
  }
}

}  // namespace
}  // namespace ink
