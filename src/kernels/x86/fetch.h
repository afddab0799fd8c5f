// Fetching weights before they are read. A panel is read from end to end, but a processor's own prefetcher
// starts anew at each page of 4 KiB and waits for the page's address every time: without help one core of
// Zen 3 reads 15 GB/s of panels, with help 18, and two read 29 instead of 25. Everything is static: see
// avx2_vectors.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace ink {
namespace {

// Bytes between what is read and what is fetched. Weights in huge pages decode 1.02 (Q4_K_M) to 1.06 times
// (Q8_0) as fast as with 2 KiB; half of it is too late.
inline constexpr int64_t kFetchAhead = 1024;

// Fetches what a reader of `kBytes` bytes will read kFetchAhead later; past the end of the weights this is
// harmless.
template <int64_t kBytes>
inline void fetch_ahead(const void* bytes) {
#pragma GCC unroll 8
  for (int64_t i = 0; i < kBytes; i += 64)
    _mm_prefetch(static_cast<const char*>(bytes) + kFetchAhead + i, _MM_HINT_T0);
}

}  // namespace
}  // namespace ink
