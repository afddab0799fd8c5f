// Keys and values in pages, and what one call of a table's attention works on: a tile of consecutive tokens
// of one sequence with the query heads that share one key/value head. f32 and f16 are multiplied as floats.
// Rows that were rounded to integers are multiplied as integers, with queries and shares rounded alike: such
// products are exact in any order, and take half as many instructions.
//
// Softmax is merged online, page by page (Milakov & Gimelshein 2018; Dao et al. 2022): for each row of q the
// operations are the same ones in the same order whatever else is in the tile, and a tile needs no memory
// that grows with the context.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ink {

inline constexpr int64_t kKvPageTokens = 32;
inline constexpr int64_t kMostHeadDim = 4096;

// Elements of the cache. The integers have a scale for each row of a head, and such keys are first rotated
// (Walsh-Hadamard, where head_dim is a power of two from 8 on), which spreads their outlier channels over all
// columns.
enum class KvType : uint8_t { kF32, kF16, kInt16, kInt8 };

constexpr bool is_integer_type(KvType type) { return type == KvType::kInt16 || type == KvType::kInt8; }

constexpr int64_t kv_element_bytes(KvType type) {
  return type == KvType::kF32 ? 4 : type == KvType::kInt8 ? 1 : 2;
}

// A page of one key/value head. Floats: [kKvPageTokens][head_dim]. Integers: in pairs that are multiplied and
// added together, keys [head_dim / 2][kKvPageTokens][2] of two columns each, values
// [kKvPageTokens / 2][head_dim][2] of two slots each; then float [kKvPageTokens], the scales.
constexpr int64_t kv_page_bytes(KvType type, int64_t head_dim) {
  const int64_t scales = is_integer_type(type) ? kKvPageTokens * 4 : 0;
  return kKvPageTokens * head_dim * kv_element_bytes(type) + scales;
}
// Elements before that of a slot and a column in a page of integers.
constexpr int64_t integer_key_place(int64_t slot, int64_t column) {
  return (column / 2 * kKvPageTokens + slot) * 2 + column % 2;
}
constexpr int64_t integer_value_place(int64_t slot, int64_t column, int64_t head_dim) {
  return (slot / 2 * head_dim + column) * 2 + slot % 2;
}

// The largest integers, so chosen that a sum of head_dim products of keys and queries, and one of
// kKvPageTokens products of values and shares, fits into 32 bits.
struct IntegerLimits {
  int key;
  int query;
  int value;
  int share;
};
constexpr IntegerLimits integer_limits(KvType type, int64_t head_dim) {
  constexpr int64_t kMostSum = 2147483647;
  constexpr int64_t kMost = 32767;
  const auto most_beside = [](int64_t other, int64_t terms) {
    const int64_t most = kMostSum / (terms * other);
    return static_cast<int>(most < kMost ? most : kMost);
  };
  const auto most_of_both = [](int64_t terms) {
    int64_t most = 0;
    for (int64_t bit = (kMost + 1) / 2; bit > 0; bit /= 2)
      if ((most + bit) * (most + bit) <= kMostSum / terms) most += bit;
    return most;
  };
  const int64_t key = type == KvType::kInt8 ? 127 : most_of_both(head_dim);
  const int64_t value = type == KvType::kInt8 ? 127 : most_of_both(kKvPageTokens);
  return {static_cast<int>(key), most_beside(key, head_dim), static_cast<int>(value),
          most_beside(value, kKvPageTokens)};
}

// Whether the keys of this cache are rotated; queries are then rotated alike.
constexpr bool rotates_keys(KvType type, int64_t head_dim) {
  return is_integer_type(type) && head_dim >= 8 && (head_dim & (head_dim - 1)) == 0;
}

// The cache is seen in spans of so many slots. What a row makes of each is made apart, perhaps by different
// threads, and then merged, the first span first: the result does not depend on who made it.
inline constexpr int64_t kSpanTokens = 2048;

// What rows made of one or more spans; a row is one query head of one token, heads of a token side by side.
struct AttentionSums {
  float* values;   // [rows][padded_dim]: weighted by exp(score - largest), of integers by 2^(score - largest)
  float* largest;  // [rows]: score; minus infinity before a row has seen a slot
  float* weight;   // [rows]: sum of those weights
};

struct AttentionTile {
  // Queries for floats: head h of token i at q + i * token_stride + h * head_dim.
  const float* q;
  int64_t token_stride;
  float scale;  // 1 / sqrt(head_dim)
  // For integers, from round_queries: [rows][padded_dim] and [rows].
  const int16_t* rounded_q;
  const float* q_scale;
  int64_t tokens;
  int64_t heads;  // query heads that share this key/value head
  int64_t head_dim;
  KvType type;
  const std::byte* const* k_pages;  // page p holds slots p * kKvPageTokens … of the span
  const std::byte* const* v_pages;
  // Slots of the span that the first token sees: 0 .. first_length - 1; each later token sees one more, none
  // more than kSpanTokens. Less than one: none.
  int64_t first_length;
  float* scratch;      // attention_scratch_floats(tokens * heads, head_dim)
  AttentionSums sums;  // the result

  // Slots that somebody sees.
  int64_t slots() const {
    const int64_t last = first_length + tokens - 1;
    return last < kSpanTokens ? last : kSpanTokens;
  }
};

// Columns of a row in the scratch: whole registers of 16, the rest zero, so that loops have no tails.
constexpr int64_t padded_dim(int64_t head_dim) { return (head_dim + 15) / 16 * 16; }

// The sums of a tile, as both kinds of scratch hold them.
struct TileSums {
  int64_t padded;
  float* sums;
  float* largest;
  float* weight;

  explicit TileSums(const AttentionTile& tile)
      : padded(padded_dim(tile.head_dim)),
        sums(tile.sums.values),
        largest(tile.sums.largest),
        weight(tile.sums.weight) {}
};

// The parts of the scratch for floats.
struct AttentionScratch : TileSums {
  float* q;       // [rows][padded], times the scale
  float* keys;    // [kKvPageTokens][padded]
  float* values;  // [kKvPageTokens][padded]
  float* scores;  // [rows][kKvPageTokens]

  explicit AttentionScratch(const AttentionTile& tile)
      : TileSums(tile),
        q(tile.scratch),
        keys(q + tile.tokens * tile.heads * padded),
        values(keys + kKvPageTokens * padded),
        scores(values + kKvPageTokens * padded) {}
};

// Scores of integers are logarithms to base 2: a power of two is its exponent's bits.
inline constexpr float kLog2E = 1.44269504f;

// Below it a page's largest share of integers counts as zero: one divided by it would be no number.
inline constexpr float kLeastShare = 1e-30f;

// The parts of the scratch for integers.
struct IntegerAttentionScratch : TileSums {
  const int16_t* q;  // the tile's
  const float* q_scale;
  int32_t* products;   // [rows][kKvPageTokens] of q and keys; a row then holds its scores, and in the end its
                       // shares: 2^(score - largest) times the scale of the value, rounded
  float* share_scale;  // [rows]
  float* factor;       // [rows]: what this page's largest score makes of the sums so far

  explicit IntegerAttentionScratch(const AttentionTile& tile)
      : TileSums(tile),
        q(tile.rounded_q),
        q_scale(tile.q_scale),
        products(reinterpret_cast<int32_t*>(tile.scratch)),
        share_scale(scores(tile.tokens * tile.heads)),
        factor(share_scale + tile.tokens * tile.heads) {}

  float* scores(int64_t row) const { return reinterpret_cast<float*>(products + row * kKvPageTokens); }
  int16_t* shares(int64_t row) const { return reinterpret_cast<int16_t*>(products + row * kKvPageTokens); }
};

// Enough for either: integers need less, pages are not widened for them.
constexpr int64_t attention_scratch_floats(int64_t rows, int64_t head_dim) {
  return (rows + 2 * kKvPageTokens) * padded_dim(head_dim) + rows * kKvPageTokens;
}

}  // namespace ink
