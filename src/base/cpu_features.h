// What this processor and its operating system can run, asked of CPUID bits and never of names: virtual
// machines and future processors carry names nobody has heard of. Only features that a kernel table uses are
// listed.
//
// Tiles are so large that Linux saves them only for processes that ask: the first call asks, for this process
// and its threads, where the processor has them.
#pragma once

namespace ink {

struct CpuFeatures {
  // Each says: the instructions exist and the system saves the registers they use.
  bool avx2 = false;
  bool fma = false;
  bool f16c = false;
  bool avx_vnni = false;     // dpbusd on 256-bit registers
  bool avx512 = false;       // F, BW, DQ and VL
  bool avx512_vnni = false;  // dpbusd on 512-bit registers
  bool amx_int8 = false;     // tiles of 16 rows of 64 bytes, and their products of signed bytes
};

// All false on processors that are not x86-64. The first call asks, later calls remember.
const CpuFeatures& cpu_features();

}  // namespace ink
