// Decides which x86-64 tables may run. Compiled for any x86-64: it is the caller's side of the wall that
// keeps newer instructions away from older processors.
#include "kernels/x86/x86_tables.h"

#include "base/cpu_features.h"
#include "kernels/self_check.h"

namespace ink {
namespace {

KernelTable make_avx2_table() {
  KernelTable table = {};
  table.name = "avx2";
  install_avx2_float_panels(table);
  install_avx2_integer_panels(table);
  install_avx2_float_attention(table);
  install_avx2_integer_attention(table);
  install_avx2_rows(table);
  return table;
}

KernelTable make_avx2_vnni_table() {
  KernelTable table = make_avx2_table();
  table.name = "avx2vnni";
  install_avx2_vnni_integer_panels(table);
  install_avx2_vnni_integer_attention(table);
  return table;
}

KernelTable make_avx512_vnni_table() {
  KernelTable table = make_avx2_table();
  table.name = "avx512vnni";
  install_avx512_vnni_integer_panels(table);
  install_avx512_vnni_integer_attention(table);
  return table;
}

KernelTable make_amx_table() {
  KernelTable table = make_avx512_vnni_table();
  table.name = "amx";
  install_amx_integer_panels(table);
  return table;
}

}  // namespace

void add_x86_tables(KernelTables& tables) {
  const CpuFeatures& cpu = cpu_features();
  if (!cpu.avx2 || !cpu.fma || !cpu.f16c) return;
  static const KernelTable avx2 = make_avx2_table();
  tables.table[tables.count++] = &avx2;
  if (cpu.avx_vnni) {
    static const KernelTable avx2_vnni = make_avx2_vnni_table();
    tables.table[tables.count++] = &avx2_vnni;
  }
  if (cpu.avx512 && cpu.avx512_vnni) {
    static const KernelTable avx512_vnni = make_avx512_vnni_table();
    tables.table[tables.count++] = &avx512_vnni;
    if (cpu.amx_int8) {
      static const KernelTable amx = make_amx_table();
      offer_if_same(amx, avx512_vnni, tables);  // it was tested on a model of the tiles only
    }
  }
}

}  // namespace ink
