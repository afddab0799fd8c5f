// The most that AVX-512 with VNNI can do in int8: 64 products an instruction, summed in 32 bits by it.
#include <immintrin.h>

#include "kernels/x86/x86_probes.h"

namespace ink {
namespace {

// The pragmas keep the sums in registers.
constexpr int kSums = 12;  // two instructions a cycle, each with a latency of five

void run(int64_t rounds) {
  __m512i sums[kSums];
#pragma GCC unroll 12
  for (auto& sum : sums) {
    sum = _mm512_setzero_si512();
    asm volatile("" : "+v"(sum));  // or all sums would be found equal and computed once
  }
  const __m512i weights = _mm512_set1_epi8(1);
  const __m512i values = _mm512_set1_epi8(2);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm512_dpbusd_epi32(sum, weights, values);
  }
#pragma GCC unroll 12
  for (auto& sum : sums) asm volatile("" : : "v"(sum));
}

}  // namespace

void install_avx512_vnni_probe(Int8Loop& loop) { loop = {int64_t{2} * 64 * kSums, run}; }

}  // namespace ink
