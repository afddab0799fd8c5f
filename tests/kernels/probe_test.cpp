// The limits that benchmarks are stated against: there is one for every table, and buffers of any size do.
#include "kernels/probe.h"

#include <gtest/gtest.h>

namespace ink {
namespace {

TEST(Probe, EveryTableHasALoop) {
  ThreadPool threads(2);
  const KernelTables& tables = available_kernel_tables();
  for (int i = 0; i < tables.count; ++i) {
    const Int8Loop loop = int8_loop(*tables.table[i]);
    ASSERT_NE(loop.run, nullptr) << tables.table[i]->name;
    EXPECT_GT(loop.operations_per_round, 0);
    loop.run(0);
    EXPECT_GT(measure_int8_peak(*tables.table[i], threads), 0);
  }
}

TEST(Probe, AnUnknownTableHasNone) {
  KernelTable table = {};
  table.name = "abacus";
  ThreadPool threads(1);
  EXPECT_EQ(int8_loop(table).run, nullptr);
  EXPECT_EQ(measure_int8_peak(table, threads), 0);
}

TEST(Probe, ReadsBuffersOfAnySize) {
  ThreadPool threads(3);
  for (const uint64_t size : {1, 33, 4096, (1 << 20) + 5}) {
    auto probe = ReadProbe::create(size, threads);
    ASSERT_TRUE(probe.ok());
    EXPECT_GT(probe->measure(), 0);
  }
  EXPECT_FALSE(ReadProbe::create(uint64_t{1} << 62, threads).ok());
}

}  // namespace
}  // namespace ink
