// The most that AVX2 with VNNI can do in int8: 32 products an instruction, summed in 32 bits by it.
#include <immintrin.h>

#include "kernels/x86/x86_probes.h"

namespace ink {
namespace {

// The pragmas keep the sums in registers.
constexpr int kSums = 12;  // two instructions a cycle, each with a latency of five

void run(int64_t rounds) {
  __m256i sums[kSums];
#pragma GCC unroll 12
  for (auto& sum : sums) {
    sum = _mm256_setzero_si256();
    asm volatile("" : "+x"(sum));  // or all sums would be found equal and computed once
  }
  const __m256i weights = _mm256_set1_epi8(1);
  const __m256i values = _mm256_set1_epi8(2);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm256_dpbusd_avx_epi32(sum, weights, values);
  }
#pragma GCC unroll 12
  for (auto& sum : sums) asm volatile("" : : "x"(sum));
}

}  // namespace

void install_avx2_vnni_probe(Int8Loop& loop) { loop = {int64_t{2} * 32 * kSums, run}; }

}  // namespace ink
