// Softmax attention over one key/value head, in two passes over the cache: all scores first, then their
// softmax and the weighted sum of the values, slots ascending. Scores are kept rather than merged online: the
// sum's order then does not depend on where a maximum turned up.
#include <cmath>
#include <limits>

#include "kernels/portable/lanes.h"
#include "kernels/portable/portable.h"

namespace ink::portable {
namespace {

const float* slot_row(const float* const* pages, int64_t slot, int64_t head_dim) {
  return pages[slot / kKvPageTokens] + slot % kKvPageTokens * head_dim;
}

// scores → exp(score - largest); returns their sum.
float exponentials(float* scores, int64_t length) {
  float largest = -std::numeric_limits<float>::infinity();
  for (int64_t t = 0; t < length; ++t) largest = scores[t] > largest ? scores[t] : largest;
  float sum = 0.0f;
  for (int64_t t = 0; t < length; ++t) {
    scores[t] = std::exp(scores[t] - largest);
    sum += scores[t];
  }
  return sum;
}

}  // namespace

void attend(const AttentionInput& input) {
  const int64_t head_dim = input.head_dim;
  for (int64_t h = 0; h < input.heads; ++h) {
    const float* q = input.q + h * head_dim;
    float* scores = input.scores + h * input.length;
    float* out = input.out + h * head_dim;
    for (int64_t t = 0; t < input.length; ++t)
      scores[t] = dot_in_lanes(q, slot_row(input.k_page, t, head_dim), head_dim) * input.scale;
    const float sum = exponentials(scores, input.length);
    for (int64_t d = 0; d < head_dim; ++d) out[d] = 0.0f;
    for (int64_t t = 0; t < input.length; ++t) {
      const float* v = slot_row(input.v_page, t, head_dim);
      for (int64_t d = 0; d < head_dim; ++d) out[d] += scores[t] * v[d];
    }
    for (int64_t d = 0; d < head_dim; ++d) out[d] /= sum;
  }
}

}  // namespace ink::portable
