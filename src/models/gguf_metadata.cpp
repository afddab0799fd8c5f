// See models/gguf_metadata.h.
#include "models/gguf_metadata.h"

namespace ink {
namespace {

void add_rope_scaling(GgufWriter& writer, const ModelConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  if (scaling.kind == RopeScaling::Kind::kNone) return;
  const std::string prefix = config.architecture + ".rope.scaling.";
  const bool is_yarn = scaling.kind == RopeScaling::Kind::kYarn;
  const auto number = [&](const char* key, double value) {
    writer.add_number(prefix + key, static_cast<float>(value));
  };
  writer.add_string(prefix + "type", is_yarn ? "yarn" : "linear");
  number("factor", scaling.factor);
  writer.add_number(prefix + "original_context_length",
                    static_cast<uint32_t>(scaling.original_max_position_embeddings));
  if (!is_yarn) return;
  number("yarn_beta_fast", scaling.beta_fast);
  number("yarn_beta_slow", scaling.beta_slow);
  if (scaling.attention_factor != 0) number("attn_factor", scaling.attention_factor);
}

}  // namespace

void add_hyperparameters(GgufWriter& writer, const ModelConfig& config) {
  const std::string arch = config.architecture + ".";
  const auto number = [&](const std::string& key, int64_t value) {
    writer.add_number(arch + key, static_cast<uint32_t>(value));
  };
  number("context_length", config.max_position_embeddings);
  number("embedding_length", config.hidden_size);
  number("feed_forward_length", config.intermediate_size);
  number("block_count", config.num_hidden_layers);
  number("attention.head_count", config.num_attention_heads);
  number("attention.head_count_kv", config.num_key_value_heads);
  number("attention.key_length", config.head_dim);
  number("attention.value_length", config.head_dim);
  // As llama.cpp counts them: the last token's state, or what a ranking head makes of it.
  if (config.head == ModelConfig::Head::kNone) number("pooling_type", 3);
  if (config.head == ModelConfig::Head::kClasses) number("pooling_type", 4);
  writer.add_number(arch + "attention.layer_norm_rms_epsilon", static_cast<float>(config.rms_norm_eps));
  writer.add_number(arch + "rope.freq_base", static_cast<float>(config.rope_theta));
  add_rope_scaling(writer, config);
  if (config.num_experts > 0) {
    number("expert_count", config.num_experts);
    number("expert_used_count", config.num_experts_per_tok);
    number("expert_feed_forward_length", config.moe_intermediate_size);
    if (!config.norm_topk_prob) writer.add_bool(arch + "expert_weights_norm", false);
  }
}

void add_vocabulary(GgufWriter& writer, const GgufVocabulary& vocabulary) {
  writer.add_string("tokenizer.ggml.model", "gpt2");
  writer.add_string("tokenizer.ggml.pre", "qwen2");
  writer.add_strings("tokenizer.ggml.tokens", vocabulary.tokens);
  writer.add_numbers("tokenizer.ggml.token_type", std::span<const int32_t>(vocabulary.types));
  writer.add_strings("tokenizer.ggml.merges", vocabulary.merges);
}

}  // namespace ink
