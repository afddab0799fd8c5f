// A table that proves itself on this processor before anybody may have it: for instruction sets that could
// not be tested wherever the program is built.
#pragma once

#include "kernels/kernel_table.h"

namespace ink {

// Whether every integer panel function of both gives the same bits for a small made-up case of many rows.
bool same_integer_panels(const KernelTable& table, const KernelTable& reference);

// Appends `table`, which must outlive `tables`, if it computes what `reference` does. If not, it says so in a
// line on stderr, as check_failed does: this is a mistake of ours (or of the processor), and no caller could
// handle it better than by going on without the table.
void offer_if_same(const KernelTable& table, const KernelTable& reference, KernelTables& tables);

}  // namespace ink
