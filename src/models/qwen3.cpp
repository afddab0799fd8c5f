// See models/qwen3.h.
#include "models/qwen3.h"

#include <algorithm>

#include "base/check.h"

namespace ink {

Qwen3Model::Qwen3Model(const Checkpoint& checkpoint, const ModelConfig& config, Arithmetic arithmetic)
    : config_(config), weights_(std::make_unique<Weights>(checkpoint, config_.quantization, arithmetic)) {
  Weights& weights = *weights_;
  embed_tokens_ = weights.embedding("model.embed_tokens", config.vocab_size, config.hidden_size);
  rotary_ = rotary_frequencies(config);
  for (int i = 0; i < static_cast<int>(config.num_hidden_layers); ++i)
    layers_.emplace_back(weights, i, config);
  norm_ = {weights.vector("model.norm", config.hidden_size), static_cast<float>(config.rms_norm_eps)};
  if (config.head == ModelConfig::Head::kClasses) {
    head_rows_ = weights.in_place("score", config.num_labels, config.hidden_size);
  } else if (config.head == ModelConfig::Head::kVocabulary) {
    const char* head = config.tie_word_embeddings ? "model.embed_tokens" : "lm_head";
    lm_head_ = weights.linear(head, config.vocab_size, config.hidden_size);
    head_rows_ = weights.rows_of(head);
  }
}

Result<std::unique_ptr<Qwen3Model>> Qwen3Model::load(const Checkpoint& checkpoint, const ModelConfig& config,
                                                     Arithmetic arithmetic, ThreadPool& threads,
                                                     const std::function<void(double)>& progress,
                                                     const PackedPlace* packed_place) {
  std::unique_ptr<Qwen3Model> model(new Qwen3Model(checkpoint, config, arithmetic));
  const Status packed = model->weights_->pack(threads, progress, packed_place);
  if (!packed.ok()) return packed.error();
  return model;
}

PlannedWeights Qwen3Model::plan_weights(const Checkpoint& checkpoint, const ModelConfig& config,
                                        Arithmetic arithmetic) {
  return Qwen3Model(checkpoint, config, arithmetic).weights_->planned();
}

Tensor Qwen3Model::forward(Ops& op, const Batch& batch, ModelOutput output) const {
  const Tensor x = op.embed(*embed_tokens_, batch.tokens);
  const RotaryRows rotary = op.rotary_rows({rotary_.inv_freq, rotary_.magnitude}, batch.positions);
  for (const DecoderLayer& layer : layers_) layer.forward(op, batch, rotary, x);
  if (batch.output_rows.empty()) return {};
  const Tensor hidden = op.rms_norm(op.gather(x, batch.output_rows), norm_);
  INK_CHECK(output == ModelOutput::kHidden || gives_logits(), "logits of a model without a vocabulary head");
  return output == ModelOutput::kHidden ? hidden : op.linear(hidden, lm_head_);
}

void Qwen3Model::read_head_row(int64_t row, float* values) const {
  INK_CHECK(head_rows_ != nullptr && row >= 0 && row < head_rows_->rows(), "a row of the head");
  head_rows_->read_floats(row, values);
}

uint64_t Qwen3Model::scratch_bytes(const ModelConfig& c, int64_t tokens, int64_t outputs) {
  const int64_t q_dim = c.num_attention_heads * c.head_dim;
  const int64_t kv_dim = c.num_key_value_heads * c.head_dim;
  const int64_t widest = std::max({c.hidden_size, q_dim, c.intermediate_size, c.moe_intermediate_size});
  // Floats per token: x and the rotary rows; norm, q, k, v, normalised q and k, attention, o; norm, gate, up,
  // product, down; and an int8 copy of the widest row with its scales and sums. A mixture of experts needs
  // its logits and routes, sums, and for each expert of the token a copy of its input and the product, as
  // floats and as int8, with the place of the token; or, done expert after expert, gathered rows instead.
  const int64_t attention = 2 * c.hidden_size + 3 * q_dim + 3 * kv_dim;
  const int64_t mlp = 4 * c.hidden_size + 3 * std::max(c.intermediate_size, c.moe_intermediate_size);
  const int64_t expert = (c.hidden_size + c.moe_intermediate_size) * 3 / 2 + 4;
  const int64_t routing = c.num_experts + c.num_experts_per_tok * expert;
  const int64_t per_token = c.hidden_size + c.head_dim + attention + mlp + routing + widest / 2;
  const int64_t logits = c.head == ModelConfig::Head::kVocabulary ? c.vocab_size : 0;
  const int64_t per_output = 2 * c.hidden_size + logits + widest / 2;
  const int64_t buckets = 16 * c.num_experts;
  constexpr int64_t kAlignmentSlack = 64 * 64;
  return static_cast<uint64_t>(4 * (buckets + tokens * per_token + outputs * per_output) + kAlignmentSlack);
}

}  // namespace ink
