// The panels of amx_panels.h with the instructions themselves.
#include <immintrin.h>

#include "kernels/x86/amx_panels.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

struct AmxMachine : Tiles {
  static void widen_halves(const uint8_t* halves, Floats16& out) {
    out = _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
  }
};

}  // namespace

void install_amx_integer_panels(KernelTable& table) { install_tile_panels<AmxMachine>(table); }

}  // namespace ink
