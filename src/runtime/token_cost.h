// What a token costs at least: the bytes that must be read and the operations that must be done, from the
// shapes and types in the file. A benchmark states its speeds against them.
#pragma once

#include <cstdint>

#include "kernels/attention.h"
#include "models/config.h"
#include "tensor/checkpoint.h"

namespace ink {

struct TokenCost {
  uint64_t weight_bytes = 0;    // of all weights that one token reads, as the file has them
  uint64_t kv_bytes = 0;        // keys and values of one token of context, as the cache has them
  double body_operations = 0;   // of the layers, without attention over the context
  double head_operations = 0;   // of the head, needed for the last token of a prompt only
  double score_operations = 0;  // of attention, for each token of context
  bool is_routed = false;       // several tokens may need different experts, so they read more than one does

  // Of one token behind `context` others.
  double operations(double context) const {
    return body_operations + head_operations + score_operations * context;
  }
  // Of a whole prompt of `tokens` behind `depth` others: each sees half of the prompt on average.
  double prompt_operations(double tokens, double depth) const {
    return head_operations + tokens * (body_operations + score_operations * (depth + tokens / 2));
  }
};

TokenCost token_cost(const Checkpoint& checkpoint, const ModelConfig& config, KvType cache_type);

}  // namespace ink
