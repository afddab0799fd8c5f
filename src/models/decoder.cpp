// See models/decoder.h. Pre-norm, grouped-query attention with per-head QK-norm, then a gated feed-forward
// (Qwen3 Technical Report, arXiv 2505.09388; transformers' modeling_qwen3).
#include "models/decoder.h"

#include "models/moe.h"

namespace ink {

GatedMlp::GatedMlp(Weights& weights, const std::string& prefix, const ModelConfig& config)
    : projections_{weights.linear(prefix + ".gate_proj", config.intermediate_size, config.hidden_size),
                   weights.linear(prefix + ".up_proj", config.intermediate_size, config.hidden_size),
                   weights.linear(prefix + ".down_proj", config.hidden_size, config.intermediate_size)} {}

void GatedMlp::add_to(Ops& op, Tensor x, Tensor h) const { op.add_gated(x, h, projections_); }

DecoderLayer::DecoderLayer(Weights& weights, int index, const ModelConfig& config)
    : index_(index), head_dim_(config.head_dim) {
  const std::string layer = "model.layers." + std::to_string(index);
  const std::string attention = layer + ".self_attn";
  const int64_t hidden = config.hidden_size;
  const int64_t q_dim = config.num_attention_heads * config.head_dim;
  const int64_t kv_dim = config.num_key_value_heads * config.head_dim;
  const auto epsilon = static_cast<float>(config.rms_norm_eps);
  const bool bias = config.attention_bias;

  input_layernorm_ = {weights.vector(layer + ".input_layernorm", hidden), epsilon};
  q_proj_ = weights.linear(attention + ".q_proj", q_dim, hidden, bias);
  k_proj_ = weights.linear(attention + ".k_proj", kv_dim, hidden, bias);
  v_proj_ = weights.linear(attention + ".v_proj", kv_dim, hidden, bias);
  q_norm_ = {weights.vector(attention + ".q_norm", head_dim_), epsilon};
  k_norm_ = {weights.vector(attention + ".k_norm", head_dim_), epsilon};
  o_proj_ = weights.linear(attention + ".o_proj", hidden, q_dim, bias);
  post_attention_layernorm_ = {weights.vector(layer + ".post_attention_layernorm", hidden), epsilon};
  if (config.is_moe_layer(index)) {
    mlp_ = std::make_unique<MoeMlp>(weights, layer + ".mlp", config);
  } else {
    mlp_ = std::make_unique<GatedMlp>(weights, layer + ".mlp", config);
  }
}

void DecoderLayer::forward(Ops& op, const Batch& batch, const RotaryRows& rotary, Tensor x) const {
  const auto temporaries = op.scope();  // every tensor made below dies here

  Tensor h = op.rms_norm(x, input_layernorm_);
  auto [q, k, v] = op.linear(h, q_proj_, k_proj_, v_proj_);  // one pass over h, one activation quantization

  q = op.rms_norm(heads(q, head_dim_), q_norm_);  // Qwen3: normalise every head,
  k = op.rms_norm(heads(k, head_dim_), k_norm_);  // and only then rotate
  op.rope(q, rotary);                             // [tokens * heads, head_dim]
  op.rope(k, rotary);                             // [tokens * kv_heads, head_dim]
  const Tensor attended = op.attention(q, k, heads(v, head_dim_), batch, index_);

  op.add_linear(x, flat(attended, x.rows), o_proj_);
  mlp_->add_to(op, x, op.rms_norm(x, post_attention_layernorm_));
}

}  // namespace ink
