// Attention over one tile of floats with AVX2 (kernels/attention.h). Rows of q are worked on together, so
// that each load of a key or value serves several, and with twelve sums at a time where there are rows
// enough: a sum waits four cycles for itself, and eight of them would have to find their turn without one
// slip. A row's own operations and their order never depend on its companions: scores are summed in eight
// lanes that are folded in one fixed tree, values are added slot after slot. Slots past the last that a row
// sees are worked out with whatever the page holds there, and dropped. The unroll pragmas keep the sums in
// registers: see avx2_float_panels.cpp.
//
// Many rows share a page that was widened once. A few, as in decoding, read it as it is and widen in
// registers, which are the same floats: then memory is the limit, and what comes next is fetched while this
// is worked on (without, reading and computing take turns).
#include "kernels/attention.h"

#include "kernels/x86/avx2_vectors.h"
#include "kernels/x86/x86_tables.h"

namespace ink {
namespace {

// Up to so many rows read a page as it is: it is widened again for each four of them.
constexpr int64_t kFewRows = 8;

// Eight columns of keys or values as floats, from each of the types a page may have.
struct Floats {
  static constexpr bool kAsStored = true;
  using Type = float;
  static __m256 load(const float* place) { return _mm256_loadu_ps(place); }
  static float one(float value) { return value; }
};

struct Halves {
  static constexpr bool kAsStored = true;
  using Type = uint16_t;
  static __m256 load(const uint16_t* place) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(place)));
  }
  static float one(uint16_t bits) { return _cvtsh_ss(bits); }
};

// What was widened before.
struct Widened : Floats {
  static constexpr bool kAsStored = false;
};

// The keys and values of one page.
template <typename Elements>
struct Page {
  const typename Elements::Type* keys;  // [kKvPageTokens][stride]
  const typename Elements::Type* values;
  int64_t stride;
  // What to fetch while keys, and while values are worked on. Pages as stored: what is read right after them,
  // as large as they are; else the next keys and values, `fetch_bytes` each.
  const std::byte* after_keys;
  const std::byte* after_values;
  int64_t fetch_bytes;
};

inline void fetch(const std::byte* place) { _mm_prefetch(reinterpret_cast<const char*>(place), _MM_HINT_T0); }

// The part of `bytes` that belongs to the rows `begin` to `end`, as far as there are so many, of `rows`.
inline void fetch_part(const std::byte* place, int64_t bytes, int64_t begin, int64_t end, int64_t rows) {
  const int64_t last = bytes * (end < rows ? end : rows) / rows;
  for (int64_t i = bytes * begin / rows; i < last; i += 64) fetch(place + i);
}

// The rows of a page as floats; the columns past head_dim were made zero once for all pages.
template <typename Elements>
void widen(const std::byte* page, int64_t slots, int64_t head_dim, int64_t padded, float* out) {
  const auto* elements = reinterpret_cast<const typename Elements::Type*>(page);
  for (int64_t t = 0; t < slots; ++t, elements += head_dim, out += padded) {
    int64_t d = 0;
    for (; d + 8 <= head_dim; d += 8) _mm256_storeu_ps(out + d, Elements::load(elements + d));
    for (; d < head_dim; ++d) out[d] = Elements::one(elements[d]);
  }
}

// The sums of the lanes of four registers, as fold_lanes gives them one by one.
inline __m128 fold_four(__m256 a, __m256 b, __m256 c, __m256 d) {
  __m128 four[] = {_mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)),
                   _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1)),
                   _mm_add_ps(_mm256_castps256_ps128(c), _mm256_extractf128_ps(c, 1)),
                   _mm_add_ps(_mm256_castps256_ps128(d), _mm256_extractf128_ps(d, 1))};
  _MM_TRANSPOSE4_PS(four[0], four[1], four[2], four[3]);
  return _mm_add_ps(_mm_add_ps(four[0], four[2]), _mm_add_ps(four[1], four[3]));
}

// The same of four registers of a (low half of the result) and of four of b (high half).
inline __m256 fold_eight(const __m256* a, const __m256* b) {
  __m256 half[4];  // of a and of b; which half is added to which is the same
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i)
    half[i] = _mm256_add_ps(_mm256_blend_ps(a[i], b[i], 0xf0), _mm256_permute2f128_ps(a[i], b[i], 0x21));
  const __m256 low01 = _mm256_unpacklo_ps(half[0], half[1]);
  const __m256 low23 = _mm256_unpacklo_ps(half[2], half[3]);
  const __m256 high01 = _mm256_unpackhi_ps(half[0], half[1]);
  const __m256 high23 = _mm256_unpackhi_ps(half[2], half[3]);
  const __m256 lane0 = _mm256_shuffle_ps(low01, low23, 0x44);
  const __m256 lane1 = _mm256_shuffle_ps(low01, low23, 0xee);
  const __m256 lane2 = _mm256_shuffle_ps(high01, high23, 0x44);
  const __m256 lane3 = _mm256_shuffle_ps(high01, high23, 0xee);
  return _mm256_add_ps(_mm256_add_ps(lane0, lane2), _mm256_add_ps(lane1, lane3));
}

// scores[r][t] of kRows rows of q for kSlots slots from t on; four sums are folded at a time. The more rows,
// the fewer slots, so that the sums stay in registers.
template <typename Elements, int kRows, int kSlots>
inline void score_slots(const float* q, int64_t padded, const Page<Elements>& page, int64_t t,
                        float* scores) {
  constexpr int64_t kElementBytes = sizeof(typename Elements::Type);
  const auto* key = page.keys + t * page.stride;
  __m256 sum[kRows][kSlots] = {};
  for (int64_t d = 0; d < padded; d += 8) {
    if constexpr (Elements::kAsStored)
      fetch(page.after_keys + (t * page.stride + d * kSlots) * kElementBytes);
    __m256 row[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) row[r] = _mm256_loadu_ps(q + r * padded + d);
#pragma GCC unroll 4
    for (int s = 0; s < kSlots; ++s) {
      const __m256 column = Elements::load(key + s * page.stride + d);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) sum[r][s] = _mm256_fmadd_ps(row[r], column, sum[r][s]);
    }
  }
  if constexpr (kSlots == 4) {
    int r = 0;
#pragma GCC unroll 2
    for (; r + 1 < kRows; r += 2) {
      const __m256 folded = fold_eight(sum[r], sum[r + 1]);
      _mm_storeu_ps(scores + r * kKvPageTokens + t, _mm256_castps256_ps128(folded));
      _mm_storeu_ps(scores + (r + 1) * kKvPageTokens + t, _mm256_extractf128_ps(folded, 1));
    }
    if (r < kRows)
      _mm_storeu_ps(scores + r * kKvPageTokens + t, fold_four(sum[r][0], sum[r][1], sum[r][2], sum[r][3]));
  } else {
#pragma GCC unroll 2
    for (int r = 0; r < kRows; r += 2) {
      const __m128 folded = fold_four(sum[r][0], sum[r][1], sum[r + 1][0], sum[r + 1][1]);
      _mm_storel_pi(reinterpret_cast<__m64*>(scores + r * kKvPageTokens + t), folded);
      _mm_storeh_pi(reinterpret_cast<__m64*>(scores + (r + 1) * kKvPageTokens + t), folded);
    }
  }
}

// All slots of a page.
template <typename Elements, int kRows>
inline void score_page(const float* q, int64_t padded, const Page<Elements>& page, int64_t slots,
                       float* scores) {
  constexpr int kSlots = kRows <= 3 ? 4 : 2;
  for (int64_t t = 0; t < slots; t += kSlots)
    score_slots<Elements, kRows, kSlots>(q, padded, page, t, scores);
}

// scores → exp(score - largest); the sums of the row so far scaled to the new largest score.
void weigh(const AttentionScratch& scratch, int64_t row, int64_t slots) {
  float* scores = scratch.scores + row * kKvPageTokens;
  const __m256 lowest = _mm256_set1_ps(-__builtin_inff());
  __m256 value[kKvPageTokens / 8];
  __m256 most = _mm256_set1_ps(scratch.largest[row]);
  // A NaN is passed over here (the second operand wins) and shows in its own exponential.
  for (int64_t t = 0; t < kKvPageTokens; t += 8) {
    const int64_t left = slots - t < 0 ? 0 : slots - t > 8 ? 8 : slots - t;
    const __m256 seen = _mm256_castsi256_ps(lanes_below(left));
    value[t / 8] = _mm256_blendv_ps(lowest, _mm256_loadu_ps(scores + t), seen);
    most = _mm256_max_ps(value[t / 8], most);
  }
  const float largest = largest_lane(most);
  const __m256 shift = _mm256_set1_ps(largest);
  __m256 weight = _mm256_setzero_ps();
  for (int64_t t = 0; t < kKvPageTokens; t += 8) {
    const __m256 share = exp8(_mm256_sub_ps(value[t / 8], shift));
    weight = _mm256_add_ps(weight, share);
    _mm256_storeu_ps(scores + t, share);
  }
  float factor = 1.0f;
  if (largest != scratch.largest[row]) {
    factor = _mm256_cvtss_f32(exp8(_mm256_set1_ps(scratch.largest[row] - largest)));
    const __m256 factors = _mm256_set1_ps(factor);
    float* sums = scratch.sums + row * scratch.padded;
    for (int64_t d = 0; d < scratch.padded; d += 8)
      _mm256_storeu_ps(sums + d, _mm256_mul_ps(_mm256_loadu_ps(sums + d), factors));
  }
  scratch.largest[row] = largest;
  scratch.weight[row] = scratch.weight[row] * factor + fold_lanes(weight);
}

// sums[r] += share * value for kWidth registers of columns, slots ascending.
template <typename Elements, int kRows, int kWidth>
inline void add_columns(const AttentionScratch& scratch, const Page<Elements>& page, int64_t row,
                        int64_t slots, int64_t d) {
  constexpr int64_t kElementBytes = sizeof(typename Elements::Type);
  float* sums = scratch.sums + row * scratch.padded + d;
  const float* shares = scratch.scores + row * kKvPageTokens;
  __m256 sum[kRows][kWidth];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int w = 0; w < kWidth; ++w) sum[r][w] = _mm256_loadu_ps(sums + r * scratch.padded + 8 * w);
  }
  for (int64_t t = 0; t < slots; ++t) {
    const int64_t place = t * page.stride + d;
    if constexpr (Elements::kAsStored) {  // in the order of memory, not in that of the columns
#pragma GCC unroll 8
      for (int64_t line = 0; line < 8 * kWidth * kElementBytes; line += 64)
        fetch(page.after_values + (d * kKvPageTokens + t * 8 * kWidth) * kElementBytes + line);
    }
    __m256 value[kWidth];
#pragma GCC unroll 8
    for (int w = 0; w < kWidth; ++w) value[w] = Elements::load(page.values + place + 8 * w);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const __m256 share = _mm256_broadcast_ss(shares + r * kKvPageTokens + t);
#pragma GCC unroll 8
      for (int w = 0; w < kWidth; ++w) sum[r][w] = _mm256_fmadd_ps(share, value[w], sum[r][w]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int w = 0; w < kWidth; ++w) _mm256_storeu_ps(sums + r * scratch.padded + 8 * w, sum[r][w]);
  }
}

template <typename Elements, int kRows>
inline void add_values(const AttentionScratch& scratch, const Page<Elements>& page, int64_t row,
                       int64_t slots) {
  constexpr int kWidth = kRows == 1   ? 8
                         : kRows == 2 ? 4
                                      : 2;  // registers of columns at a time: eight to twelve sums
  int64_t d = 0;
  for (; d + 8 * kWidth <= scratch.padded; d += 8 * kWidth)
    add_columns<Elements, kRows, kWidth>(scratch, page, row, slots, d);
  for (; d < scratch.padded; d += 8) add_columns<Elements, kRows, 1>(scratch, page, row, slots, d);
}

// What a page adds to rows that see the same slots of it: first all scores, then all values, so that a row
// finds the keys, and later the values, in the first-level cache.
template <typename Elements>
void add_page(const AttentionScratch& scratch, const Page<Elements>& page, int64_t first, int64_t rows,
              int64_t slots) {
  const int64_t padded = scratch.padded;
  const int64_t end = first + rows;
  // As stored, a key is widened for each pass: the more rows the better.
  constexpr int kScoreRows = Elements::kAsStored ? 4 : 3;
  for (int64_t r = first; r < end; r += kScoreRows) {
    if (!Elements::kAsStored)
      fetch_part(page.after_keys, page.fetch_bytes, r - first, r + kScoreRows - first, rows);
    run_pass<kScoreRows>(end - r, [&]<int kRows>() {
      score_page<Elements, kRows>(scratch.q + r * padded, padded, page, slots,
                                  scratch.scores + r * kKvPageTokens);
    });
  }
  for (int64_t r = first; r < end; ++r) weigh(scratch, r, slots);
  constexpr int kValueRows = 6;
  for (int64_t r = first; r < end; r += kValueRows) {
    if (!Elements::kAsStored)
      fetch_part(page.after_values, page.fetch_bytes, r - first, r + kValueRows - first, rows);
    run_pass<kValueRows>(end - r, [&]<int kRows>() { add_values<Elements, kRows>(scratch, page, r, slots); });
  }
}

void begin(const AttentionTile& tile, const AttentionScratch& scratch) {
  const int64_t rows = tile.tokens * tile.heads;
  const int64_t padded = scratch.padded;
  for (int64_t r = 0; r < rows; ++r) {
    const float* q = tile.q + r / tile.heads * tile.token_stride + r % tile.heads * tile.head_dim;
    float* copy = scratch.q + r * padded;
    for (int64_t d = 0; d < tile.head_dim; ++d) copy[d] = q[d];
    for (int64_t d = 0; d < tile.head_dim; ++d) copy[d] *= tile.scale;
    for (int64_t d = tile.head_dim; d < padded; ++d) copy[d] = 0.0f;
    for (int64_t d = 0; d < padded; ++d) scratch.sums[r * padded + d] = 0.0f;
    scratch.largest[r] = -__builtin_inff();
    scratch.weight[r] = 0.0f;
  }
  for (int64_t t = 0; t < kKvPageTokens; ++t) {
    for (int64_t d = tile.head_dim; d < padded; ++d)
      scratch.keys[t * padded + d] = scratch.values[t * padded + d] = 0.0f;
  }
}

// The page at `index` with `slots` rows, as it is or widened into the scratch.
template <typename Elements, typename Rows>
Page<Rows> open_page(const AttentionTile& tile, const AttentionScratch& scratch, int64_t index,
                     int64_t slots) {
  const std::byte* keys = tile.k_pages[index];
  const std::byte* values = tile.v_pages[index];
  const bool is_last = (index + 1) * kKvPageTokens >= tile.slots();
  const std::byte* next_keys = tile.k_pages[is_last ? index : index + 1];
  const std::byte* next_values = tile.v_pages[is_last ? index : index + 1];
  Page<Rows> page = {};
  page.stride = scratch.padded;
  page.after_values = next_keys;
  if constexpr (Rows::kAsStored) {
    page.keys = reinterpret_cast<const typename Rows::Type*>(keys);
    page.values = reinterpret_cast<const typename Rows::Type*>(values);
    page.after_keys = values;
  } else {
    widen<Elements>(keys, slots, tile.head_dim, scratch.padded, scratch.keys);
    widen<Elements>(values, slots, tile.head_dim, scratch.padded, scratch.values);
    page.keys = scratch.keys;
    page.values = scratch.values;
    page.after_keys = next_keys;
    page.after_values = next_values;
    page.fetch_bytes = is_last ? 0 : kv_page_bytes(tile.type, tile.head_dim);
  }
  return page;
}

template <typename Elements, typename Rows>
void add_pages(const AttentionTile& tile, const AttentionScratch& scratch) {
  const int64_t rows = tile.tokens * tile.heads;
  for (int64_t start = 0; start < tile.slots(); start += kKvPageTokens) {
    const int64_t left = tile.slots() - start;
    const int64_t slots = left < kKvPageTokens ? left : kKvPageTokens;
    const auto page = open_page<Elements, Rows>(tile, scratch, start / kKvPageTokens, slots);
    if (start + slots <= tile.first_length) {
      add_page(scratch, page, 0, rows, slots);
      continue;
    }
    for (int64_t i = 0; i < tile.tokens; ++i) {
      const int64_t seen = tile.first_length + i - start;
      if (seen > 0) add_page(scratch, page, i * tile.heads, tile.heads, seen < slots ? seen : slots);
    }
  }
}

template <typename Elements>
void add_pages_of(const AttentionTile& tile, const AttentionScratch& scratch) {
  if (tile.tokens * tile.heads <= kFewRows && tile.head_dim == scratch.padded) {
    add_pages<Elements, Elements>(tile, scratch);
  } else {
    add_pages<Elements, Widened>(tile, scratch);
  }
}

void attend_floats(const AttentionTile& tile) {
  const AttentionScratch scratch(tile);
  begin(tile, scratch);
  if (tile.type == KvType::kF16) {
    add_pages_of<Halves>(tile, scratch);
  } else {
    add_pages_of<Floats>(tile, scratch);
  }
}

void to_f16(const float* values, int64_t count, uint16_t* halves) {
  constexpr int kRounding = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i bits = _mm256_cvtps_ph(_mm256_loadu_ps(values + i), kRounding);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(halves + i), bits);
  }
  for (; i < count; ++i) {
    const __m128i bits = _mm_cvtps_ph(_mm_set_ss(values[i]), kRounding);
    halves[i] = static_cast<uint16_t>(_mm_cvtsi128_si32(bits));
  }
}

}  // namespace

void install_avx2_float_attention(KernelTable& table) {
  table.attend_floats = attend_floats;
  table.to_f16 = to_f16;
}

}  // namespace ink
