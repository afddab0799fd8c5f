// The gated delta rule (Yang, Kautz & Hatamizadeh 2024, "Gated Delta Networks"), the recurrence inside the
// linear-attention layers of Qwen3-Next and Qwen3.5, one token after another. For each value head, with S its
// state:
//
//   k = key / |key|,  q = query / |query| / sqrt(key_size)          |x| = sqrt(sum(x^2) + 1e-6)
//   S <- exp(decay) S                                                forget
//   S <- S + k (beta (value - S^T k))^T                              correct what S recalls for k
//   out = S^T q
//
// Value head h reads key head h / (value_heads / key_heads): key heads are repeated in groups, not tiled. The
// model around it (convolution, gates, the norm of the output) is not here.
#pragma once

#include <cstdint>

namespace ink {

// All f32 and contiguous.
struct DeltaRuleInput {
  int64_t tokens;
  int64_t key_heads;
  int64_t value_heads;  // a multiple of key_heads
  int64_t key_size;
  int64_t value_size;
  const float* query;  // [tokens, key_heads, key_size]
  const float* key;    // [tokens, key_heads, key_size]
  const float* value;  // [tokens, value_heads, value_size]
  const float* decay;  // [tokens, value_heads], logarithms: <= 0
  const float* beta;   // [tokens, value_heads], 0 .. 1
  float* state;        // [value_heads, key_size, value_size]: read, and left as it is after the last token
  float* scratch;      // [2 * key_size + value_size]
  float* out;          // [tokens, value_heads, value_size]
};

void delta_rule(const DeltaRuleInput& input);

}  // namespace ink
