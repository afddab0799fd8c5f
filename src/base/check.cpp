// See base/check.h.
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ink {

void check_failed(const char* file, int line, const char* condition, const char* reason) {
  std::fprintf(stderr, "inkstone: internal error at %s:%d: %s (%s)\n", file, line, reason, condition);
  std::abort();
}

}  // namespace ink
