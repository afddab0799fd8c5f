// Keys and values in pages, and what one call of a table's attention works on: a tile of consecutive tokens
// of one sequence with the query heads that share one key/value head. A page's elements become floats; the
// scales of 8 bits are applied to the scores of their keys and to the shares of their values.
//
// Softmax is merged online, page by page (Milakov & Gimelshein 2018; Dao et al. 2022): for each row of q the
// operations are the same ones in the same order whatever else is in the tile, and a tile needs no memory
// that grows with the context.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ink {

inline constexpr int64_t kKvPageTokens = 32;

// Elements of the cache. kInt8 rounds each row of a head to 8 bits with a scale of its own; keys are first
// rotated (Walsh-Hadamard, where head_dim is a power of two), which spreads their outlier channels over all
// columns.
enum class KvType : uint8_t { kF32, kF16, kInt8 };

// A page of one key/value head: [kKvPageTokens][head_dim] elements; kInt8: then float [kKvPageTokens] scales.
constexpr int64_t kv_page_bytes(KvType type, int64_t head_dim) {
  switch (type) {
    case KvType::kF32:
      return kKvPageTokens * head_dim * 4;
    case KvType::kF16:
      return kKvPageTokens * head_dim * 2;
    case KvType::kInt8:
      return kKvPageTokens * (head_dim + 4);
  }
  return 0;
}
// Whether the keys of this cache are rotated; queries are then rotated alike.
constexpr bool rotates_keys(KvType type, int64_t head_dim) {
  return type == KvType::kInt8 && (head_dim & (head_dim - 1)) == 0;
}

struct AttentionTile {
  const float* q;  // head h of token i at q + i * token_stride + h * head_dim
  float* out;      // the same places
  int64_t token_stride;
  int64_t tokens;
  int64_t heads;  // query heads that share this key/value head
  int64_t head_dim;
  KvType type;
  const std::byte* const* k_pages;  // page p holds cache slots p * kKvPageTokens …
  const std::byte* const* v_pages;
  int64_t
      first_length;  // slots that the first token sees: 0 .. first_length - 1; each later one sees one more
  float scale;       // 1 / sqrt(head_dim)
  float* scratch;    // attention_scratch_floats(tokens * heads, head_dim)
};

// Columns of a row in the scratch: whole registers of 16, the rest zero, so that loops have no tails.
constexpr int64_t padded_dim(int64_t head_dim) { return (head_dim + 15) / 16 * 16; }

// The parts of the scratch; a row is one query head of one token, heads of a token side by side.
struct AttentionScratch {
  float* q;        // [rows][padded], times the scale, rotated like the keys
  float* sums;     // [rows][padded]: values weighted by exp(score - largest)
  float* keys;     // [kKvPageTokens][padded]
  float* values;   // [kKvPageTokens][padded]
  float* scores;   // [rows][kKvPageTokens]
  float* largest;  // [rows]
  float* weight;   // [rows]: sum of exp(score - largest)
  int64_t padded;

  AttentionScratch(float* memory, int64_t rows, int64_t head_dim)
      : q(memory),
        sums(q + rows * padded_dim(head_dim)),
        keys(sums + rows * padded_dim(head_dim)),
        values(keys + kKvPageTokens * padded_dim(head_dim)),
        scores(values + kKvPageTokens * padded_dim(head_dim)),
        largest(scores + rows * kKvPageTokens),
        weight(largest + rows),
        padded(padded_dim(head_dim)) {}
};
constexpr int64_t attention_scratch_floats(int64_t rows, int64_t head_dim) {
  return (2 * rows + 2 * kKvPageTokens) * padded_dim(head_dim) + rows * (kKvPageTokens + 2);
}

// In place, in a fixed order; the result is scaled so that lengths stay. `count` is a power of two.
void hadamard(float* row, int64_t count);

// Rounds a row to int8: scale = max|x| / 127, q = x / scale to nearest even; returns the scale, 0 for a row
// of zeros, NaN for one that holds an infinity or a NaN.
float round_kv_row(const float* row, int64_t count, int8_t* q);

}  // namespace ink
