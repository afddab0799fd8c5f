// Stands in for x86/ on other processors: no tables. Empty where x86/ itself is built.
#if !defined(__x86_64__)

#include "kernels/x86/x86_tables.h"

namespace ink {

void add_x86_tables(KernelTables&) {}

}  // namespace ink

#endif
