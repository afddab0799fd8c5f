// Attention over one tile of integers (kernels/attention.h, portable/integer_attention.cpp) in registers of
// AVX2, for several instruction sets: Arithmetic::add_products multiplies pairs and adds their sums. Both
// products, of queries with keys and of shares with values, are one loop: a pair of numbers of a row of the
// tile is repeated over a register and multiplied with the pairs of eight slots, or of eight columns, so that
// sums grow side by side and are never folded. Slots that a row does not see are multiplied with whatever
// the page holds there, and dropped, or with a share of zero.
//
// What is read next is fetched meanwhile, in the order of memory: a page's values while its keys are worked
// on, and then the keys of the next page. Everything is static: see avx2_vectors.h.
#pragma once

#include "kernels/attention.h"
#include "kernels/x86/avx2_vectors.h"

namespace ink {
namespace {

constexpr float kLeastShare = 1e-30f;  // see portable/integer_attention.cpp
constexpr int64_t kRegister = 16;      // elements of a register: eight pairs

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

// Pairs of rows of a tile, and the pairs of a page that they are multiplied with.
template <typename Elements>
struct Pairs {
  const int16_t* rows;  // the first row's pairs
  int64_t row_stride;
  const typename Elements::Type* page;  // the first pair of rows is multiplied with registers from here on
  int64_t page_stride;                  // to those of the next pair
  int64_t count;
  const std::byte* fetched;  // as many bytes as are read
  int32_t* products;
  int64_t product_stride;
};

constexpr int kRegisters = 4;  // side by side

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
  const auto* fetched = reinterpret_cast<const char*>(pairs.fetched);
  for (int64_t i = 0; i < pairs.count; ++i, row += 2, place += pairs.page_stride, fetched += kBytes) {
#pragma GCC unroll 2
    for (int64_t line = 0; line < kBytes; line += 64) _mm_prefetch(fetched + line, _MM_HINT_T0);
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

// One page as its tile reads it.
template <typename Elements>
struct Page {
  const typename Elements::Type* keys;
  const typename Elements::Type* values;
  const float* key_scales;  // [kKvPageTokens]
  const float* value_scales;
  const std::byte* next_keys;
  int64_t head_dim;
};

// The products of kRows rows with all slots of the page.
template <typename Elements, int kRows>
inline void multiply_keys(const IntegerAttentionScratch& scratch, const Page<Elements>& page, int64_t row,
                          const std::byte* fetched) {
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
                             int64_t column, int64_t slots, const std::byte* fetched) {
  int32_t products[kRows][8 * kWidth];
  multiply_pairs<Elements, kRows, kWidth>(
      {.rows = scratch.shares(row),
       .row_stride = 2 * kKvPageTokens,
       .page = page.values + 2 * column,
       .page_stride = 2 * page.head_dim,
       .count = (slots + 1) / 2,
       .fetched = fetched + column * kKvPageTokens * static_cast<int64_t>(sizeof(typename Elements::Type)),
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
                            int64_t slots, const std::byte* fetched) {
  int64_t column = 0;
  for (; column + 8 * kRegisters <= page.head_dim; column += 8 * kRegisters)
    multiply_columns<Elements, kRows, kRegisters>(scratch, page, row, column, slots, fetched);
  for (; column < page.head_dim; column += 8)
    multiply_columns<Elements, kRows, 1>(scratch, page, row, column, slots, fetched);
}

inline float largest_lane(__m256 v) {
  __m128 most = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  most = _mm_max_ps(most, _mm_movehl_ps(most, most));
  return _mm_cvtss_f32(_mm_max_ss(most, _mm_movehdup_ps(most)));
}

// The number with the largest bits, which a NaN has.
inline float largest_bits(__m256i v) {
  __m128i most = _mm_max_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  most = _mm_max_epu32(most, _mm_unpackhi_epi64(most, most));
  most = _mm_max_epu32(most, _mm_srli_epi64(most, 32));
  return _mm_cvtss_f32(_mm_castsi128_ps(most));
}

// 2^x within 3e-7 for x <= 0, not below 2^-126; NaN stays NaN. x = n + r with |r| <= 1/2; 2^r by the
// polynomial of degree 5 with the least relative error, its constant rounded to 1; n is added to the
// exponent.
inline __m256 exp2_8(__m256 x) {
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: a small float added to it is rounded to an integer
  x = _mm256_max_ps(_mm256_set1_ps(-125.0f), x);  // the second operand when one is NaN
  const __m256 shifted = _mm256_add_ps(x, _mm256_set1_ps(kRounder));
  const __m256 r = _mm256_sub_ps(x, _mm256_sub_ps(shifted, _mm256_set1_ps(kRounder)));
  __m256 p = _mm256_set1_ps(0.00132764725f);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.00967554096f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.0555071309f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.240221202f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.693146944f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
  const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
}

// Products → shares in three steps, each for all rows before the next one: what one row waits for, other rows
// do not. Slots that a row does not see are left out where kWhole is false.
constexpr int kParts = kKvPageTokens / 8;

inline __m256 seen_lanes(int64_t slots, int part) {
  return _mm256_castsi256_ps(lanes_below(slots - 8 * part));
}

// Products → scores; the row's largest score, and the factor for its sums so far.
template <bool kWhole, typename Elements>
inline void score_row(const IntegerAttentionScratch& scratch, const Page<Elements>& page, int64_t row,
                      int64_t slots) {
  const int32_t* products = scratch.products + row * kKvPageTokens;
  float* scores = scratch.scores(row);
  const __m256 q_scale = _mm256_broadcast_ss(scratch.q_scale + row);
  const float before = scratch.largest[row];
  __m256 most = _mm256_set1_ps(before);
#pragma GCC unroll 4
  for (int i = 0; i < kParts; ++i) {
    const __m256 product =
        _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(products + 8 * i)));
    const __m256 scale = _mm256_mul_ps(_mm256_loadu_ps(page.key_scales + 8 * i), q_scale);
    __m256 score = _mm256_mul_ps(product, scale);
    if (!kWhole) score = _mm256_blendv_ps(_mm256_set1_ps(-__builtin_inff()), score, seen_lanes(slots, i));
    _mm256_storeu_ps(scores + 8 * i, score);
    // A NaN is passed over here (the second operand wins) and shows in its own share.
    most = _mm256_max_ps(score, most);
  }
  const float largest = largest_lane(most);
  scratch.largest[row] = largest;
  scratch.factor[row] = largest == before ? 1.0f : _mm256_cvtss_f32(exp2_8(_mm256_set1_ps(before - largest)));
}

// Scores → shares times the scales of the values; the row's weight, and the largest of these.
template <bool kWhole, typename Elements>
inline void share_row(const IntegerAttentionScratch& scratch, const Page<Elements>& page, int64_t row,
                      int64_t slots) {
  float* scores = scratch.scores(row);
  const __m256 shift = _mm256_broadcast_ss(scratch.largest + row);
  __m256 weight = _mm256_setzero_ps();
  __m256i most = _mm256_setzero_si256();
#pragma GCC unroll 4
  for (int i = 0; i < kParts; ++i) {
    __m256 share = exp2_8(_mm256_sub_ps(_mm256_loadu_ps(scores + 8 * i), shift));
    __m256 scale = _mm256_loadu_ps(page.value_scales + 8 * i);
    if (!kWhole) {
      share = _mm256_and_ps(share, seen_lanes(slots, i));
      scale = _mm256_and_ps(scale, seen_lanes(slots, i));
    }
    weight = _mm256_add_ps(weight, share);
    share = _mm256_mul_ps(share, scale);
    most = _mm256_max_epu32(most, _mm256_castps_si256(share));
    _mm256_storeu_ps(scores + 8 * i, share);
  }
  scratch.weight[row] = scratch.weight[row] * scratch.factor[row] + fold_lanes(weight);
  scratch.share_scale[row] = largest_bits(most);
}

// Shares → integers of at most `limit`, and their scale.
inline void round_shares(const IntegerAttentionScratch& scratch, int64_t row, float limit) {
  const float* shares = scratch.scores(row);
  int16_t* rounded = scratch.shares(row);
  const float largest = scratch.share_scale[row];
  const __m256 inverse = _mm256_set1_ps(largest < kLeastShare ? 0.0f : limit / largest);
  __m256i part[kParts];
#pragma GCC unroll 4
  for (int i = 0; i < kParts; ++i)
    part[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(shares + 8 * i), inverse));
#pragma GCC unroll 2
  for (int i = 0; i < kParts; i += 2) {
    // Packing works within 128-bit halves.
    const __m256i packed =
        _mm256_permute4x64_epi64(_mm256_packs_epi32(part[i], part[i + 1]), _MM_SHUFFLE(3, 1, 2, 0));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(rounded + 8 * i), packed);
  }
  scratch.share_scale[row] = largest * (1.0f / limit);
}

// Row r sees `seen` slots, and one more for each token after that of `first`.
template <bool kWhole, typename Elements>
void share_page(const AttentionTile& tile, const IntegerAttentionScratch& scratch, const Page<Elements>& page,
                int64_t first, int64_t seen) {
  const auto limit = static_cast<float>(integer_limits(tile.type, tile.head_dim).share);
  const int64_t rows = tile.tokens * tile.heads;
  for (int64_t r = first; r < rows; ++r) score_row<kWhole>(scratch, page, r, seen + (r - first) / tile.heads);
  for (int64_t r = first; r < rows; ++r) share_row<kWhole>(scratch, page, r, seen + (r - first) / tile.heads);
  for (int64_t r = first; r < rows; ++r) round_shares(scratch, r, limit);
}

// What a page adds to the rows from `first` on, that see something of it: all products with keys, all shares,
// all products with values, so that a row finds the keys, and later the values, in the first-level cache.
template <typename Elements>
void add_page(const AttentionTile& tile, const IntegerAttentionScratch& scratch, const Page<Elements>& page,
              int64_t first, int64_t seen) {
  constexpr int kMostRows = Elements::kMostRows;
  const int64_t rows = tile.tokens * tile.heads;
  // Whoever comes first fetches for all.
  const auto* values = reinterpret_cast<const std::byte*>(page.values);
  const auto* keys = reinterpret_cast<const std::byte*>(page.keys);
  for (int64_t r = first; r < rows; r += kMostRows) {
    run_pass<kMostRows>(rows - r, [&]<int kRows>() {
      multiply_keys<Elements, kRows>(scratch, page, r, r == first ? values : keys);
    });
  }
  const int64_t last_sees = seen + (rows - 1 - first) / tile.heads;
  const int64_t most_seen = last_sees < kKvPageTokens ? last_sees : kKvPageTokens;
  if (seen >= kKvPageTokens) {
    share_page<true>(tile, scratch, page, first, seen);
  } else {
    share_page<false>(tile, scratch, page, first, seen);
  }
  for (int64_t r = first; r < rows; r += kMostRows) {
    run_pass<kMostRows>(rows - r, [&]<int kRows>() {
      multiply_values<Elements, kRows>(scratch, page, r, most_seen, r == first ? page.next_keys : values);
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
  const int64_t scales_at =
      kKvPageTokens * tile.head_dim * static_cast<int64_t>(sizeof(typename Elements::Type));
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
          .head_dim = tile.head_dim};
}

// One step of the transform within a register: each lane and its partner become their sum and difference.
inline __m256 add_partners(__m256 x, __m256 partners, __m256 minus) {
  return _mm256_add_ps(_mm256_xor_ps(x, minus), partners);
}

inline void rotate_row(float* x, int64_t count) {
  const float factor = 1.0f / _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(static_cast<float>(count))));
  if (count < 8) {
    for (int64_t step = 1; step < count; step *= 2) {
      for (int64_t i = 0; i < count; ++i) {
        if ((i & step) != 0) continue;
        const float a = x[i];
        const float b = x[i + step];
        x[i] = a + b;
        x[i + step] = a - b;
      }
    }
    for (int64_t i = 0; i < count; ++i) x[i] *= factor;
    return;
  }
  const __m256 every_1 = _mm256_setr_ps(0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f);
  const __m256 every_2 = _mm256_setr_ps(0.0f, 0.0f, -0.0f, -0.0f, 0.0f, 0.0f, -0.0f, -0.0f);
  const __m256 every_4 = _mm256_setr_ps(0.0f, 0.0f, 0.0f, 0.0f, -0.0f, -0.0f, -0.0f, -0.0f);
  for (int64_t i = 0; i < count; i += 8) {
    __m256 part = _mm256_loadu_ps(x + i);
    part = add_partners(part, _mm256_permute_ps(part, _MM_SHUFFLE(2, 3, 0, 1)), every_1);
    part = add_partners(part, _mm256_permute_ps(part, _MM_SHUFFLE(1, 0, 3, 2)), every_2);
    part = add_partners(part, _mm256_permute2f128_ps(part, part, 1), every_4);
    _mm256_storeu_ps(x + i, part);
  }
  for (int64_t step = 8; step < count; step *= 2) {
    for (int64_t block = 0; block < count; block += 2 * step) {
      for (int64_t i = block; i < block + step; i += 8) {
        const __m256 a = _mm256_loadu_ps(x + i);
        const __m256 b = _mm256_loadu_ps(x + i + step);
        _mm256_storeu_ps(x + i, _mm256_add_ps(a, b));
        _mm256_storeu_ps(x + i + step, _mm256_sub_ps(a, b));
      }
    }
  }
  for (int64_t i = 0; i < count; i += 8)
    _mm256_storeu_ps(x + i, _mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(factor)));
}

inline float round_row(const float* x, int64_t count, int limit, int16_t* q) {
  constexpr int32_t kInfinityBits = 0x7f800000;
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  const __m256i tail = lanes_below(count % 8);
  const int64_t whole = count - count % 8;
  __m256i largest = _mm256_setzero_si256();
  for (int64_t i = 0; i < count; i += 8) {
    const __m256 part = i < whole ? _mm256_loadu_ps(x + i) : _mm256_maskload_ps(x + i, tail);
    largest = _mm256_max_epu32(largest, _mm256_and_si256(_mm256_castps_si256(part), magnitude));
  }
  const float most = largest_bits(largest);
  const bool finite = _mm_cvtsi128_si32(_mm_castps_si128(_mm_set_ss(most))) < kInfinityBits;
  const float scale = most / static_cast<float>(limit);
  const bool usable = finite && scale >= 1.17549435e-38f;  // the smallest normal float
  const __m256 inverse = _mm256_set1_ps(usable ? 1.0f / scale : 0.0f);
  int64_t i = 0;
  if (usable) {
    for (; i < whole; i += 8) {
      const __m256i rounded = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i), inverse));
      const __m128i words =
          _mm_packs_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(q + i), words);
    }
    for (; i < count; ++i)
      q[i] = static_cast<int16_t>(_mm_cvtss_si32(_mm_set_ss(x[i] * _mm256_cvtss_f32(inverse))));
  }
  for (; i < count; ++i) q[i] = 0;
  if (!finite) return __builtin_nanf("");
  return usable ? scale : 0.0f;
}

inline void begin(const AttentionTile& tile, const IntegerAttentionScratch& scratch) {
  const int limit = integer_limits(tile.type, tile.head_dim).query;
  const float scale = tile.scale * kLog2E;
  for (int64_t r = 0; r < tile.tokens * tile.heads; ++r) {
    const float* q = tile.q + r / tile.heads * tile.token_stride + r % tile.heads * tile.head_dim;
    float* copy = scratch.sums + r * scratch.padded;
    for (int64_t d = 0; d < tile.head_dim; ++d) copy[d] = q[d];
    if (rotates_keys(tile.type, tile.head_dim)) rotate_row(copy, tile.head_dim);
    for (int64_t d = 0; d < tile.head_dim; ++d) copy[d] *= scale;
    scratch.q_scale[r] = round_row(copy, tile.head_dim, limit, scratch.q + r * scratch.padded);
    for (int64_t d = 0; d < scratch.padded; ++d) copy[d] = 0.0f;
    scratch.largest[r] = -__builtin_inff();
    scratch.weight[r] = 0.0f;
  }
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
  begin(tile, scratch);
  if (tile.type == KvType::kInt8) {
    add_pages<Bytes<Arithmetic>>(tile, scratch);
  } else {
    add_pages<Words<Arithmetic>>(tile, scratch);
  }
}

}  // namespace

}  // namespace ink
