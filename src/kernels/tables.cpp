// Which kernel tables this processor can run. Each instruction set's folder knows its own condition; a folder
// of stubs stands in on other processors.
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/portable/portable.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

KernelTables find_tables() {
  KernelTables tables = {};
  tables.table[tables.count++] = &portable_kernels();
  add_x86_tables(tables);
  return tables;
}

}  // namespace

const KernelTables& available_kernel_tables() {
  static const KernelTables tables = find_tables();
  return tables;
}

const KernelTable* find_kernel_table(const char* name) {
  const KernelTables& tables = available_kernel_tables();
  for (int i = 0; i < tables.count; ++i) {
    if (std::strcmp(tables.table[i]->name, name) == 0) return tables.table[i];
  }
  return nullptr;
}

}  // namespace ink
