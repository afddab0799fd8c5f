// The most that AVX2 can do in int8: 32 products a multiplication, summed in pairs in 16 bits as long as
// these cannot overflow (as weights of 4 bits allow), so that no second multiplication has to widen them.
#include <immintrin.h>

#include "kernels/x86/x86_probes.h"

namespace ink {
namespace {

// The pragmas keep the sums in registers.
constexpr int kSums =
    10;  // enough that none waits for the one before; with the operands they fit 16 registers

void run(int64_t rounds) {
  __m256i sums[kSums];
#pragma GCC unroll 10
  for (auto& sum : sums) {
    sum = _mm256_setzero_si256();
    asm volatile("" : "+x"(sum));  // or all sums would be found equal and computed once
  }
  __m256i weights = _mm256_set1_epi8(1);
  __m256i values = _mm256_set1_epi8(2);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 10
    for (auto& sum : sums) {
      asm volatile("" : "+x"(weights), "+x"(values));  // or the product would be computed once
      sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(weights, values));
    }
  }
#pragma GCC unroll 10
  for (auto& sum : sums) asm volatile("" : : "x"(sum));
}

}  // namespace

void install_avx2_probe(Int8Loop& loop) { loop = {int64_t{2} * 32 * kSums, run}; }

}  // namespace ink
