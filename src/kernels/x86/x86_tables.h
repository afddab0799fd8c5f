// The kernel tables of x86-64 processors. Where there is no x86-64, no_x86/ stands in for this folder.
#pragma once

#include "kernels/kernel_table.h"

namespace ink {

// Appends the tables that this processor can run, best last.
void add_x86_tables(KernelTables& tables);

// What the files compiled with -mavx2 -mfma -mf16c export, and all that they export: each fills in its
// subject. To be called only on processors that have all three.
void install_avx2_float_panels(KernelTable& table);
void install_avx2_integer_panels(KernelTable& table);
void install_avx2_float_attention(KernelTable& table);
void install_avx2_integer_attention(KernelTable& table);
void install_avx2_rows(KernelTable& table);

// The same with VNNI: integers alone, the rest of such a table is AVX2's.
void install_avx2_vnni_integer_panels(KernelTable& table);
void install_avx2_vnni_integer_attention(KernelTable& table);
void install_avx512_vnni_integer_panels(KernelTable& table);
void install_avx512_vnni_integer_attention(KernelTable& table);

// AMX for 16 rows and more; for fewer it keeps the integer panels that the table has.
void install_amx_integer_panels(KernelTable& table);

}  // namespace ink
