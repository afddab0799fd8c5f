// In place of x86/ on other processors: no tables, and so no loops.
#include "kernels/x86/x86_probes.h"

namespace ink {

Int8Loop x86_int8_loop(const char*) { return {}; }

}  // namespace ink
