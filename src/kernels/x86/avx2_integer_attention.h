// Attention over one tile of integers (kernels/attention.h, portable/integer_attention.cpp) in registers of
// AVX2, for several instruction sets. Both products, of queries with keys and of shares with values, are
// those of avx2_pair_products.h, with the pairs of eight slots and of eight columns. Slots that a row does
// not see are multiplied with whatever the page holds there, and dropped, or with a share of zero.
//
// What is read next is fetched meanwhile, from two places side by side, which gives more of the bandwidth
// than one (docs/kernels.md): the second half of a page's values and the first of the next keys while its
// keys are worked on, then their second half and the first of the next values. Everything is static: see
// avx2_vectors.h.
#pragma once

#include "kernels/attention.h"
#include "kernels/x86/avx2_pair_products.h"
#include "kernels/x86/avx2_shares.h"

namespace ink {
namespace {

inline constexpr int kRegisters = 4;  // side by side

// One page as its tile reads it.
template <typename Elements>
struct Page {
  const typename Elements::Type* keys;
  const typename Elements::Type* values;
  const float* key_scales;  // [kKvPageTokens]
  const float* value_scales;
  const std::byte* next_keys;
  const std::byte* next_values;
  int64_t head_dim;

  // Of keys or values, without their scales, for so many columns.
  static constexpr int64_t bytes_of(int64_t columns) {
    return kKvPageTokens * columns * static_cast<int64_t>(sizeof(typename Elements::Type));
  }
};

// The products of kRows rows with all slots of the page.
template <typename Elements, int kRows>
inline void multiply_keys(const IntegerAttentionScratch& scratch, const Page<Elements>& page, int64_t row,
                          const Fetched& fetched) {
  static_assert(kKvPageTokens == 8 * kRegisters);
  multiply_pairs<Elements, kRows, kRegisters>({.rows = scratch.q + row * scratch.padded,
                                               .row_stride = scratch.padded,
                                               .page = page.keys,
                                               .page_stride = 2 * kKvPageTokens,
                                               .count = page.head_dim / 2,
                                               .fetched = fetched,
                                               .products = scratch.products + row * kKvPageTokens,
                                               .product_stride = kKvPageTokens});
}

// sums = sums * factor + products of kRows rows of shares with values, kRegisters of columns from `column`
// on.
template <typename Elements, int kRows, int kWidth>
inline void multiply_columns(const IntegerAttentionScratch& scratch, const Page<Elements>& page, int64_t row,
                             int64_t column, int64_t slots, const Fetched& fetched) {
  const int64_t passed = Page<Elements>::bytes_of(column) / 2;  // fetched with the columns before
  int32_t products[kRows][8 * kWidth];
  multiply_pairs<Elements, kRows, kWidth>({.rows = scratch.shares(row),
                                           .row_stride = 2 * kKvPageTokens,
                                           .page = page.values + 2 * column,
                                           .page_stride = 2 * page.head_dim,
                                           .count = (slots + 1) / 2,
                                           .fetched = {fetched.a + passed, fetched.b + passed},
                                           .products = products[0],
                                           .product_stride = 8 * kWidth});
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    float* sums = scratch.sums + (row + r) * scratch.padded + column;
    const __m256 factor = _mm256_broadcast_ss(scratch.factor + row + r);
    const __m256 scale = _mm256_broadcast_ss(scratch.share_scale + row + r);
#pragma GCC unroll 4
    for (int v = 0; v < kWidth; ++v) {
      const __m256i product = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(products[r] + 8 * v));
      const __m256 before = _mm256_mul_ps(_mm256_loadu_ps(sums + 8 * v), factor);
      _mm256_storeu_ps(sums + 8 * v, _mm256_fmadd_ps(_mm256_cvtepi32_ps(product), scale, before));
    }
  }
}

// A last register may reach past the columns: what follows them in a page is there to be read, and nobody
// looks at those sums.
template <typename Elements, int kRows>
inline void multiply_values(const IntegerAttentionScratch& scratch, const Page<Elements>& page, int64_t row,
                            int64_t slots, const Fetched& fetched) {
  int64_t column = 0;
  for (; column + 8 * kRegisters <= page.head_dim; column += 8 * kRegisters)
    multiply_columns<Elements, kRows, kRegisters>(scratch, page, row, column, slots, fetched);
  for (; column < page.head_dim; column += 8)
    multiply_columns<Elements, kRows, 1>(scratch, page, row, column, slots, fetched);
}

// What a page adds to the rows from `first` on, that see something of it: all products with keys, all shares,
// all products with values, so that a row finds the keys, and later the values, in the first-level cache.
template <typename Elements>
void add_page(const AttentionTile& tile, const IntegerAttentionScratch& scratch, const Page<Elements>& page,
              int64_t first, int64_t seen) {
  constexpr int kMostRows = Elements::kMostRows;
  const int64_t rows = tile.tokens * tile.heads;
  // Whoever comes first fetches for all; the others ask for what is near already.
  const auto* values = reinterpret_cast<const std::byte*>(page.values);
  const auto* keys = reinterpret_cast<const std::byte*>(page.keys);
  const int64_t half = Page<Elements>::bytes_of(page.head_dim) / 2;
  for (int64_t r = first; r < rows; r += kMostRows) {
    run_pass<kMostRows>(rows - r, [&]<int kRows>() {
      multiply_keys<Elements, kRows>(
          scratch, page, r, r == first ? Fetched{values + half, page.next_keys} : Fetched{keys, keys});
    });
  }
  const int64_t last_sees = seen + (rows - 1 - first) / tile.heads;
  const int64_t most_seen = last_sees < kKvPageTokens ? last_sees : kKvPageTokens;
  if (seen >= kKvPageTokens) {
    share_page<true>(tile, scratch, page.key_scales, page.value_scales, first, seen);
  } else {
    share_page<false>(tile, scratch, page.key_scales, page.value_scales, first, seen);
  }
  for (int64_t r = first; r < rows; r += kMostRows) {
    run_pass<kMostRows>(rows - r, [&]<int kRows>() {
      multiply_values<Elements, kRows>(
          scratch, page, r, most_seen,
          r == first ? Fetched{page.next_keys + half, page.next_values} : Fetched{values, values});
    });
  }
}

template <typename Elements>
Page<Elements> open_page(const AttentionTile& tile, int64_t index) {
  const std::byte* keys = tile.k_pages[index];
  const std::byte* values = tile.v_pages[index];
  const bool is_last = (index + 1) * kKvPageTokens >= tile.slots();
  const std::byte* next_keys = tile.k_pages[is_last ? index : index + 1];
  const std::byte* next_values = tile.v_pages[is_last ? index : index + 1];
  const int64_t scales_at = Page<Elements>::bytes_of(tile.head_dim);
  // Scales are waited for: those of the next page are fetched a page ahead.
  for (int64_t line = 0; line < kKvPageTokens * 4; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(next_keys + scales_at + line), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(next_values + scales_at + line), _MM_HINT_T0);
  }
  return {.keys = reinterpret_cast<const typename Elements::Type*>(keys),
          .values = reinterpret_cast<const typename Elements::Type*>(values),
          .key_scales = reinterpret_cast<const float*>(keys + scales_at),
          .value_scales = reinterpret_cast<const float*>(values + scales_at),
          .next_keys = next_keys,
          .next_values = next_values,
          .head_dim = tile.head_dim};
}

template <typename Elements>
void add_pages(const AttentionTile& tile, const IntegerAttentionScratch& scratch) {
  for (int64_t start = 0; start < tile.slots(); start += kKvPageTokens) {
    // The first token that sees something of the page.
    const int64_t token = tile.first_length > start ? 0 : start + 1 - tile.first_length;
    add_page(tile, scratch, open_page<Elements>(tile, start / kKvPageTokens), token * tile.heads,
             tile.first_length + token - start);
  }
}

template <typename Arithmetic>
void attend_integers(const AttentionTile& tile) {
  const IntegerAttentionScratch scratch(tile);
  const int64_t rows = tile.tokens * tile.heads;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t d = 0; d < scratch.padded; ++d) scratch.sums[r * scratch.padded + d] = 0.0f;
    scratch.largest[r] = -__builtin_inff();
    scratch.weight[r] = 0.0f;
  }
  if (tile.type == KvType::kInt8) {
    add_pages<Bytes<Arithmetic>>(tile, scratch);
  } else {
    add_pages<Words<Arithmetic>>(tile, scratch);
  }
}

}  // namespace
}  // namespace ink
