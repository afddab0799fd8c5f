// Products of pairs of integers in registers of AVX2, for several instruction sets: Arithmetic::add_products
// multiplies pairs and adds their sums. A pair of numbers of a row is repeated over a register and multiplied
// with eight pairs side by side, so that sums grow side by side, too, and are never folded. Everything is
// static: see avx2_vectors.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace ink {
namespace {

inline constexpr int64_t kRegister = 16;  // elements of a register: eight pairs

// A register of a page's elements as 16 bits.
template <typename Arithmetic>
struct Words : Arithmetic {
  static constexpr int kMostRows = 3;  // twelve sums in all
  using Type = int16_t;
  static __m256i load(const int16_t* place) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place));
  }
};

template <typename Arithmetic>
struct Bytes : Arithmetic {
  static constexpr int kMostRows = 2;  // widened bytes take up registers of their own
  using Type = int8_t;
  static __m256i load(const int8_t* place) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(place)));
  }
};

inline __m256i repeat_pair(const int16_t* pair) {
  int both;
  __builtin_memcpy(&both, pair, sizeof both);
  return _mm256_set1_epi32(both);
}

// Two places of memory that are fetched side by side: what is read next.
struct Fetched {
  const std::byte* a;
  const std::byte* b;
};

// Pairs of rows, and the pairs that they are multiplied with.
template <typename Elements>
struct Pairs {
  const int16_t* rows;  // the first row's pairs
  int64_t row_stride;
  const typename Elements::Type* page;  // the first pair of rows is multiplied with registers from here on
  int64_t page_stride;                  // to those of the next pair
  int64_t count;
  Fetched fetched;  // half as many bytes of each as are read
  int32_t* products;
  int64_t product_stride;
};

// products[r][8 * v ...] = those of kRows rows with kWidth registers of each step of a page, added up. Not to
// be inlined: GCC then keeps no sum in a register.
template <typename Elements, int kRows, int kWidth>
__attribute__((noinline)) void multiply_pairs(const Pairs<Elements>& pairs) {
  constexpr int64_t kBytes = kWidth * kRegister * sizeof(typename Elements::Type);
  __m256i sum[kRows][kWidth];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kWidth; ++v) sum[r][v] = _mm256_setzero_si256();
  }
  const int16_t* row = pairs.rows;
  const int64_t row_stride = pairs.row_stride;
  const auto* place = pairs.page;
  static_assert(kBytes / 2 <= 64);  // a cache line of each place
  const auto* a = reinterpret_cast<const char*>(pairs.fetched.a);
  const auto* b = reinterpret_cast<const char*>(pairs.fetched.b);
  for (int64_t i = 0; i < pairs.count; ++i, row += 2, place += pairs.page_stride) {
    _mm_prefetch(a + i * (kBytes / 2), _MM_HINT_T0);
    _mm_prefetch(b + i * (kBytes / 2), _MM_HINT_T0);
    __m256i elements[kWidth];
#pragma GCC unroll 4
    for (int v = 0; v < kWidth; ++v) elements[v] = Elements::load(place + v * kRegister);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const __m256i repeated = repeat_pair(row + r * row_stride);
#pragma GCC unroll 4
      for (int v = 0; v < kWidth; ++v) sum[r][v] = Elements::add_products(sum[r][v], repeated, elements[v]);
    }
    // Or GCC would put off additions until registers run out.
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kWidth; ++v) asm("" : "+x"(sum[r][v]));
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kWidth; ++v) {
      int32_t* products = pairs.products + r * pairs.product_stride + 8 * v;
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(products), sum[r][v]);
    }
  }
}

}  // namespace
}  // namespace ink
