// Attention over integers with AVX2 and VNNI: dpwssd multiplies pairs and adds their sums at once.
#include "kernels/x86/avx2_integer_attention.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

struct Avx2Vnni {
  static __m256i add_products(__m256i sum, __m256i a, __m256i b) {
    return _mm256_dpwssd_avx_epi32(sum, a, b);
  }
};

}  // namespace

void install_avx2_vnni_integer_attention(KernelTable& table) {
  table.attend_integers = attend_integers<Avx2Vnni>;
}

}  // namespace ink
