// CPUID says what the processor has, XGETBV what the operating system saves at a task switch. Both must
// agree: a kernel started without AVX support would silently corrupt the upper halves of registers.
#include "base/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>

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
