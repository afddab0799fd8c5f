// Softmax attention over one tile of floats (kernels/attention.h): for each page the scores of its slots,
// then the sums so far are scaled to the new largest score and the page's values are added, slots ascending.
#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.h"
#include "kernels/portable/lanes.h"
#include "kernels/portable/portable.h"

namespace ink {

namespace portable {
namespace {

void read_page(KvType type, const std::byte* page, int64_t slots, int64_t head_dim, int64_t padded,
               float* out) {
  for (int64_t t = 0; t < slots; ++t) {
    float* row = out + t * padded;
    for (int64_t d = 0; d < head_dim; ++d) {
      const int64_t place = t * head_dim + d;
      if (type == KvType::kF32) {
        std::memcpy(row + d, page + 4 * place, sizeof(float));
      } else {
        uint16_t bits;
        std::memcpy(&bits, page + 2 * place, sizeof bits);
        row[d] = f16_to_f32(bits);
      }
    }
    std::fill(row + head_dim, row + padded, 0.0f);
  }
}

// What a page of `slots` rows adds to one row of the tile.
void add_page(const AttentionScratch& scratch, int64_t row, int64_t slots) {
  const int64_t padded = scratch.padded;
  float* scores = scratch.scores + row * kKvPageTokens;
  float largest = scratch.largest[row];
  for (int64_t t = 0; t < slots; ++t) {
    scores[t] = dot_in_lanes(scratch.q + row * padded, scratch.keys + t * padded, padded);
    largest = scores[t] > largest ? scores[t] : largest;
  }
  const float factor = std::exp(scratch.largest[row] - largest);
  float* sums = scratch.sums + row * padded;
  for (int64_t d = 0; d < padded; ++d) sums[d] *= factor;
  float weight = 0.0f;
  for (int64_t t = 0; t < slots; ++t) {
    const float share = std::exp(scores[t] - largest);
    weight += share;
    const float* value = scratch.values + t * padded;
    for (int64_t d = 0; d < padded; ++d) sums[d] += share * value[d];
  }
  scratch.largest[row] = largest;
  scratch.weight[row] = scratch.weight[row] * factor + weight;
}

}  // namespace

void attend_floats(const AttentionTile& tile) {
  const int64_t rows = tile.tokens * tile.heads;
  const AttentionScratch scratch(tile);
  const int64_t padded = scratch.padded;
  for (int64_t r = 0; r < rows; ++r) {
    const float* q = tile.q + r / tile.heads * tile.token_stride + r % tile.heads * tile.head_dim;
    float* copy = scratch.q + r * padded;
    std::copy_n(q, tile.head_dim, copy);
    for (int64_t d = 0; d < tile.head_dim; ++d) copy[d] *= tile.scale;
    std::fill(copy + tile.head_dim, copy + padded, 0.0f);
    scratch.largest[r] = -std::numeric_limits<float>::infinity();
    scratch.weight[r] = 0.0f;
  }
  std::fill_n(scratch.sums, rows * padded, 0.0f);

  for (int64_t start = 0; start < tile.slots(); start += kKvPageTokens) {
    const int64_t page = start / kKvPageTokens;
    const int64_t slots = std::min(kKvPageTokens, tile.slots() - start);
    read_page(tile.type, tile.k_pages[page], slots, tile.head_dim, padded, scratch.keys);
    read_page(tile.type, tile.v_pages[page], slots, tile.head_dim, padded, scratch.values);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t seen = tile.first_length + r / tile.heads - start;
      if (seen > 0) add_page(scratch, r, std::min(slots, seen));
    }
  }
}

void to_f16(const float* values, int64_t count, uint16_t* halves) {
  for (int64_t i = 0; i < count; ++i) halves[i] = f32_to_f16(values[i]);
}

}  // namespace portable
}  // namespace ink
