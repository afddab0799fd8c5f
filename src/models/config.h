// What a checkpoint says about its model: read from config.json or from GGUF metadata, never from the name.
// Field names are config.json's. Both the published style (rope_theta, rope_scaling) and the newer one
// (rope_parameters) are understood.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/quantization.h"
#include "tensor/checkpoint.h"

namespace ink {

struct RopeScaling {
  enum class Kind { kNone, kLinear, kYarn } kind = Kind::kNone;
  double factor = 1.0;
  int64_t original_max_position_embeddings = 0;
  double beta_fast = 32.0;
  double beta_slow = 1.0;
  double attention_factor = 0.0;  // 0: 0.1 ln(factor) + 1
  bool truncate = true;           // round the correction range to whole dimensions
};

struct ModelConfig {
  // What stands above the final norm.
  enum class Head {
    kVocabulary,  // lm_head: logits of the next token
    kClasses,     // num_labels rows (score.weight, GGUF: cls.output.weight): a ranker or classifier
    kNone,        // hidden states only: an embedding model
  };

  std::string architecture;  // "qwen3" or "qwen3moe"
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;
  int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  double rope_theta = 1e6;
  RopeScaling rope_scaling;
  bool attention_bias = false;
  bool tie_word_embeddings = false;
  Head head = Head::kVocabulary;
  int64_t num_labels = 0;  // of Head::kClasses
  // How one vector is made of a text's states, where the files say it: "last", "mean" or "first".
  std::string pooling = "last";

  // Mixture of experts; num_experts is 0 for dense models.
  int64_t num_experts = 0;
  int64_t num_experts_per_tok = 0;
  int64_t moe_intermediate_size = 0;
  bool norm_topk_prob = true;
  int64_t decoder_sparse_step = 1;
  std::vector<int64_t> mlp_only_layers;

  Quantization quantization;  // of a safetensors checkpoint

  bool is_moe_layer(int64_t layer) const;
};

// Whether the tensors are those of a model saved without its head: "layers.0.…", not "model.layers.0.…".
bool has_bare_names(const Checkpoint& checkpoint);

// Errors: kUnsupported for another architecture (named, with what is supported), kInvalid for values that
// cannot be.
Result<ModelConfig> read_config(const Checkpoint& checkpoint);

}  // namespace ink
