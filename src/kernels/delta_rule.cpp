// The recurrent form: two passes over a head's state per token. Sums run over the key columns in ascending
// order, so the result does not depend on how many tokens a call brings.
#include "kernels/delta_rule.h"

#include <cmath>

namespace ink {
namespace {

void normalise(const float* x, int64_t size, float factor, float* out) {
  float squares = 0.0f;
  for (int64_t i = 0; i < size; ++i) squares += x[i] * x[i];
  const float scale = factor / std::sqrt(squares + 1e-6f);
  for (int64_t i = 0; i < size; ++i) out[i] = x[i] * scale;
}

struct HeadStep {
  const float* query;  // [key_size], normalised
  const float* key;    // [key_size], normalised
  const float* value;  // [value_size]
  float decay;
  float beta;
  float* state;  // [key_size, value_size]
  float* delta;  // [value_size], scratch
  float* out;    // [value_size]
};

void step(const HeadStep& head, int64_t key_size, int64_t value_size) {
  const float kept = std::exp(head.decay);
  for (int64_t v = 0; v < value_size; ++v) head.delta[v] = 0.0f;
  for (int64_t k = 0; k < key_size; ++k) {
    float* row = head.state + k * value_size;
    for (int64_t v = 0; v < value_size; ++v) {
      row[v] *= kept;
      head.delta[v] += row[v] * head.key[k];
    }
  }
  for (int64_t v = 0; v < value_size; ++v) {
    head.delta[v] = (head.value[v] - head.delta[v]) * head.beta;
    head.out[v] = 0.0f;
  }
  for (int64_t k = 0; k < key_size; ++k) {
    float* row = head.state + k * value_size;
    for (int64_t v = 0; v < value_size; ++v) {
      row[v] += head.key[k] * head.delta[v];
      head.out[v] += row[v] * head.query[k];
    }
  }
}

}  // namespace

void delta_rule(const DeltaRuleInput& in) {
  const int64_t group = in.value_heads / in.key_heads;
  const float query_factor = 1.0f / std::sqrt(static_cast<float>(in.key_size));
  float* query = in.scratch;
  float* key = query + in.key_size;
  float* delta = key + in.key_size;
  for (int64_t t = 0; t < in.tokens; ++t) {
    for (int64_t h = 0; h < in.value_heads; ++h) {
      if (h % group == 0) {
        const int64_t at = (t * in.key_heads + h / group) * in.key_size;
        normalise(in.query + at, in.key_size, query_factor, query);
        normalise(in.key + at, in.key_size, 1.0f, key);
      }
      const int64_t row = t * in.value_heads + h;
      step({query, key, in.value + row * in.value_size, in.decay[row], in.beta[row],
            in.state + h * in.key_size * in.value_size, delta, in.out + row * in.value_size},
           in.key_size, in.value_size);
    }
  }
}

}  // namespace ink
