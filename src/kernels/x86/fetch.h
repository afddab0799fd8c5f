// Fetching weights before they are read. A panel is read from end to end, but a processor's own prefetcher
// starts anew at each page of 4 KiB and waits for the page's address every time: without help one core of
// Zen 3 reads 15 GB/s of panels, with help 18, and two read 29 instead of 25. Everything is static: see
// avx2_vectors.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace ink {
namespace {

// Bytes between what is read and what is fetched, where a group of `group_bytes` is read at once: of
// distances from 128 to 6,144 the ones with which a token of 0.6B took least, two panels side by side in huge
// pages. Nibbles lose 7 % at 384 bytes, where bytes gain 9 %; six bits gain 1 % beyond 768.
constexpr int64_t fetch_distance(int64_t group_bytes) {
  constexpr int64_t kNibbles = 256;
  constexpr int64_t kSixBits = 384;
  return group_bytes <= kNibbles ? 768 : group_bytes <= kSixBits ? 1024 : 384;
}

// Fetches what a reader of groups of `kBytes` will read that much later; past the end of the weights this is
// harmless.
template <int64_t kBytes>
inline void fetch_ahead(const void* bytes) {
  const char* place = static_cast<const char*>(bytes) + fetch_distance(kBytes);
#pragma GCC unroll 8
  for (int64_t i = 0; i < kBytes; i += 64) _mm_prefetch(place + i, _MM_HINT_T0);
}

}  // namespace
}  // namespace ink
