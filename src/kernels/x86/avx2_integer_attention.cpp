// Attention over integers with AVX2.
#include "kernels/x86/avx2_integer_attention.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

struct Avx2 {
  static __m256i add_products(__m256i sum, __m256i a, __m256i b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  }
};

}  // namespace

void install_avx2_integer_attention(KernelTable& table) { table.attend_integers = attend_integers<Avx2>; }

}  // namespace ink
