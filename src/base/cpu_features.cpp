// CPUID says what the processor has, XGETBV what the operating system saves at a task switch. Both must
// agree: a kernel started without AVX support would silently corrupt the upper halves of registers.
#include "base/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cstdint>
#endif

namespace ink {
namespace {

#if defined(__x86_64__)

constexpr bool bit(uint32_t word, int index) { return (word >> index & 1u) != 0; }

// Extended control register 0: which register states the system saves. Only when CPUID shows OSXSAVE.
uint32_t saved_states() {
  uint32_t low = 0;
  uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Whether palette 1 has what the kernels configure: eight tiles of 16 rows of 64 bytes.
bool has_usual_tiles() {
  uint32_t eax = 0;
  uint32_t ebx = 0;
  uint32_t ecx = 0;
  uint32_t edx = 0;
  if (__get_cpuid_count(0x1d, 1, &eax, &ebx, &ecx, &edx) == 0) return false;
  const uint32_t row_bytes = ebx & 0xffffu;
  const uint32_t tiles = ebx >> 16;
  const uint32_t rows = ecx & 0xffffu;
  return row_bytes >= 64 && tiles >= 8 && rows >= 16;
}

// Asks the system to save the tiles of this process (Linux 5.16 and newer). False also where the stack that
// the program set aside for signals would become too small.
bool tiles_are_granted() {
#if defined(__linux__)
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM of asm/prctl.h, which older headers lack
  constexpr int kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

CpuFeatures ask() {
  CpuFeatures features;
  uint32_t eax = 0;
  uint32_t ebx = 0;
  uint32_t ecx = 0;
  uint32_t edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return features;
  const uint32_t leaf1 = ecx;
  constexpr uint32_t kSseAndAvxStates = 0x06;
  constexpr uint32_t kAvx512States = 0xe6;
  constexpr uint32_t kTileStates = 0x60000;
  const uint32_t saved = bit(leaf1, 27) ? saved_states() : 0;
  const bool saves_ymm = (saved & kSseAndAvxStates) == kSseAndAvxStates;
  const bool saves_zmm = (saved & kAvx512States) == kAvx512States;
  if (!saves_ymm || !bit(leaf1, 28)) return features;
  features.fma = bit(leaf1, 12);
  features.f16c = bit(leaf1, 29);
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return features;
  features.avx2 = bit(ebx, 5);
  features.avx512 = saves_zmm && bit(ebx, 16) && bit(ebx, 17) && bit(ebx, 30) && bit(ebx, 31);
  features.avx512_vnni = saves_zmm && bit(ecx, 11);
  const bool has_amx_int8 = bit(edx, 24) && bit(edx, 25);
  const bool saves_tiles = (saved & kTileStates) == kTileStates;
  features.amx_int8 = has_amx_int8 && saves_tiles && has_usual_tiles() && tiles_are_granted();
  if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) features.avx_vnni = bit(eax, 4);
  return features;
}

#else

CpuFeatures ask() { return {}; }

#endif

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = ask();
  return features;
}

}  // namespace ink
