// Softmax attention over one tile of integers (kernels/attention.h): for each page the products of its slots,
// exact; their softmax in floats; shares rounded to integers, so that the largest of a page is the limit; and
// the products of shares and values, exact again.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/attention.h"
#include "kernels/portable/portable.h"

namespace ink {

namespace portable {
namespace {

// Keys or values of one page.
struct IntegerPage {
  const std::byte* elements;
  bool are_bytes;
  float scales[kKvPageTokens];

  IntegerPage(const AttentionTile& tile, const std::byte* page)
      : elements(page), are_bytes(tile.type == KvType::kInt8) {
    std::memcpy(scales, page + kv_page_bytes(tile.type, tile.head_dim) - sizeof scales, sizeof scales);
  }

  int32_t at(int64_t place) const {
    if (are_bytes) return static_cast<int8_t>(elements[place]);
    int16_t element;
    std::memcpy(&element, elements + 2 * place, sizeof element);
    return element;
  }
};

// 2^(score - largest) times the scale of the value, for the slots that the row sees; the row's largest
// score, its weight, and the factor for its sums so far.
void weigh(const IntegerAttentionScratch& scratch, const IntegerPage& keys, const IntegerPage& values,
           int64_t row, int64_t slots, float* shares) {
  const int32_t* products = scratch.products + row * kKvPageTokens;
  float scores[kKvPageTokens];
  float largest = scratch.largest[row];
  for (int64_t t = 0; t < slots; ++t) {
    scores[t] = static_cast<float>(products[t]) * (keys.scales[t] * scratch.q_scale[row]);
    largest = scores[t] > largest ? scores[t] : largest;
  }
  float weight = 0.0f;
  for (int64_t t = 0; t < slots; ++t) {
    const float share = std::exp2(scores[t] - largest);
    weight += share;
    shares[t] = share * values.scales[t];
  }
  const float factor = largest == scratch.largest[row] ? 1.0f : std::exp2(scratch.largest[row] - largest);
  scratch.largest[row] = largest;
  scratch.weight[row] = scratch.weight[row] * factor + weight;
  scratch.factor[row] = factor;
}

// The shares as integers, zero for the slots that the row does not see.
void round_shares(const IntegerAttentionScratch& scratch, const float* shares, int64_t row, int64_t slots,
                  int limit) {
  uint32_t bits = 0;  // shares are not negative: their bits order like they do, and a NaN comes out on top
  for (int64_t t = 0; t < slots; ++t) bits = std::max(bits, std::bit_cast<uint32_t>(shares[t]));
  const auto largest = std::bit_cast<float>(bits);
  const bool usable = largest >= kLeastShare;  // neither next to nothing nor NaN
  const float inverse = usable ? static_cast<float>(limit) / largest : 0.0f;
  int16_t* rounded = scratch.shares(row);
  for (int64_t t = 0; t < kKvPageTokens; ++t)
    rounded[t] = t < slots && usable ? static_cast<int16_t>(std::nearbyint(shares[t] * inverse)) : int16_t{0};
  scratch.share_scale[row] = largest * (1.0f / static_cast<float>(limit));
}

void add_page(const AttentionTile& tile, const IntegerAttentionScratch& scratch, const IntegerPage& keys,
              const IntegerPage& values, int64_t row, int64_t slots) {
  const int16_t* q = scratch.q + row * scratch.padded;
  for (int64_t t = 0; t < slots; ++t) {
    int32_t product = 0;
    for (int64_t d = 0; d < tile.head_dim; ++d) product += q[d] * keys.at(integer_key_place(t, d));
    scratch.products[row * kKvPageTokens + t] = product;
  }
  float shares[kKvPageTokens];
  weigh(scratch, keys, values, row, slots, shares);
  round_shares(scratch, shares, row, slots, integer_limits(tile.type, tile.head_dim).share);
  float* sums = scratch.sums + row * scratch.padded;
  for (int64_t d = 0; d < tile.head_dim; ++d) {
    int32_t product = 0;
    for (int64_t t = 0; t < slots; ++t)
      product += scratch.shares(row)[t] * values.at(integer_value_place(t, d, tile.head_dim));
    sums[d] = sums[d] * scratch.factor[row] + static_cast<float>(product) * scratch.share_scale[row];
  }
}

}  // namespace

void attend_integers(const AttentionTile& tile) {
  const int64_t rows = tile.tokens * tile.heads;
  const IntegerAttentionScratch scratch(tile);
  std::fill_n(scratch.largest, rows, -std::numeric_limits<float>::infinity());
  std::fill_n(scratch.weight, rows, 0.0f);
  std::fill_n(scratch.sums, rows * scratch.padded, 0.0f);

  for (int64_t start = 0; start < tile.slots(); start += kKvPageTokens) {
    const int64_t page = start / kKvPageTokens;
    const IntegerPage keys(tile, tile.k_pages[page]);
    const IntegerPage values(tile, tile.v_pages[page]);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t seen = tile.first_length + r / tile.heads - start;
      if (seen > 0) add_page(tile, scratch, keys, values, r, std::min(kKvPageTokens, seen));
    }
  }
}

}  // namespace portable
}  // namespace ink
