// A loop over registers alone with the int8 multiplications of one kernel table, on one thread: see
// kernels/probe.h. Apart from there because files of instruction sets must not see inline functions.
#pragma once

#include <cstdint>

namespace ink {

struct Int8Loop {
  int64_t operations_per_round = 0;  // a multiplication and an addition are two
  void (*run)(int64_t rounds) = nullptr;
};

}  // namespace ink
