// THE block: one Qwen3 decoder layer. Prefill, decode and batches are the same text; other members of the
// family change what goes in, which feed-forward it holds and which head reads the result, not the layer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/ops.h"
#include "models/config.h"
#include "models/weights.h"

namespace ink {

// The part of a layer that sees one token at a time.
class FeedForward {
 public:
  virtual ~FeedForward() = default;
  // x += the result for h; both are [n, hidden].
  virtual void add_to(Ops& op, Tensor x, Tensor h) const = 0;
};

// Gated: down(silu(gate(h)) * up(h)).
class GatedMlp final : public FeedForward {
 public:
  GatedMlp(Weights& weights, const std::string& prefix, const ModelConfig& config);
  void add_to(Ops& op, Tensor x, Tensor h) const override;

 private:
  GatedProjections projections_;
};

class DecoderLayer {
 public:
  DecoderLayer(Weights& weights, int index, const ModelConfig& config);

  // x [tokens, hidden] is updated in place. Every tensor made inside dies before it returns.
  void forward(Ops& op, const Batch& batch, const RotaryRows& rotary, Tensor x) const;

 private:
  int index_;
  int64_t head_dim_;
  Norm input_layernorm_;           // [hidden]
  Linear q_proj_;                  // [heads * head_dim, hidden]
  Linear k_proj_;                  // [kv_heads * head_dim, hidden]
  Linear v_proj_;                  // [kv_heads * head_dim, hidden]
  Norm q_norm_;                    // [head_dim]
  Norm k_norm_;                    // [head_dim]
  Linear o_proj_;                  // [hidden, heads * head_dim]
  Norm post_attention_layernorm_;  // [hidden]
  std::unique_ptr<FeedForward> mlp_;
};

}  // namespace ink
