// Stands in for x86/ on other processors (CMakeLists.txt chooses): no tables.
#include "kernels/x86/x86_tables.h"

namespace ink {

void add_x86_tables(KernelTables&) {}

}  // namespace ink
