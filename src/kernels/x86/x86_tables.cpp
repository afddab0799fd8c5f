// Decides which x86-64 tables may run. Compiled for any x86-64: it is the caller's side of the wall that
// keeps newer instructions away from older processors.
#include "kernels/x86/x86_tables.h"

#include "base/cpu_features.h"

namespace ink {
namespace {

KernelTable make_avx2_table() {
  KernelTable table = {};
  table.name = "avx2";
  install_avx2_float_panels(table);
  install_avx2_integer_panels(table);
  install_avx2_attention(table);
  install_avx2_rows(table);
  return table;
}

}  // namespace

void add_x86_tables(KernelTables& tables) {
  const CpuFeatures& cpu = cpu_features();
  if (cpu.avx2 && cpu.fma && cpu.f16c) {
    static const KernelTable avx2 = make_avx2_table();
    tables.table[tables.count++] = &avx2;
  }
}

}  // namespace ink
