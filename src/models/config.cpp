// See models/config.h. Values are read leniently (either style of config) and then checked strictly: every
// number that later becomes a size has to be inside sane bounds, so that products of them cannot overflow.
#include "models/config.h"

#include <algorithm>
#include <cmath>

#include "kernels/attention.h"
#include "models/json_numbers.h"

namespace ink {
namespace {

constexpr std::string_view kSupported =
    "Qwen3ForCausalLM, Qwen3MoeForCausalLM, Qwen3Model, Qwen3ForSequenceClassification (GGUF: qwen3, "
    "qwen3moe)";

Error unsupported(const Checkpoint& checkpoint, const std::string& architecture) {
  return Error{ErrorKind::kUnsupported, checkpoint.name() + ": architecture", std::string(kSupported),
               architecture.empty() ? "none named" : architecture, ""};
}

Status read_rope(const Json* rope, ModelConfig& config, const std::string& where) {
  if (rope == nullptr || !rope->is_object()) return Done{};
  JsonNumbers json(*rope);
  config.rope_theta = json.number({"rope_theta"}, config.rope_theta);
  const std::string kind = json.text({"rope_type", "type"});
  RopeScaling& scaling = config.rope_scaling;
  if (kind.empty() || kind == "default") return Done{};
  if (kind == "linear") {
    scaling.kind = RopeScaling::Kind::kLinear;
  } else if (kind == "yarn") {
    scaling.kind = RopeScaling::Kind::kYarn;
  } else {
    return Error{ErrorKind::kUnsupported, where + ": rope_type", "default, linear or yarn", kind, ""};
  }
  scaling.original_max_position_embeddings =
      json.integer({"original_max_position_embeddings"}, config.max_position_embeddings);
  const double original = static_cast<double>(std::max<int64_t>(1, scaling.original_max_position_embeddings));
  scaling.factor = json.number({"factor"}, static_cast<double>(config.max_position_embeddings) / original);
  scaling.beta_fast = json.number({"beta_fast"}, scaling.beta_fast);
  scaling.beta_slow = json.number({"beta_slow"}, scaling.beta_slow);
  scaling.attention_factor = json.number({"attention_factor"}, 0.0);
  scaling.truncate = json.boolean("truncate", true);
  if (!json.problem().empty()) return Error{ErrorKind::kInvalid, where, "", json.problem(), ""};
  return Done{};
}

// An embedding model is published without a head: as a bare Qwen3Model, or, as Qwen3-Embedding is, under the
// name of the causal model but with the bare one's tensors.
void read_json_head(const Checkpoint& checkpoint, const std::string& architecture, ModelConfig& config) {
  if (architecture == "Qwen3ForSequenceClassification") {
    config.head = ModelConfig::Head::kClasses;
    const FileTensor* score = checkpoint.find("score.weight");
    config.num_labels = score != nullptr && score->shape.size() == 2 ? score->shape[0] : 1;
  } else if (architecture == "Qwen3Model" ||
             (has_bare_names(checkpoint) && checkpoint.find("lm_head.weight") == nullptr)) {
    config.head = ModelConfig::Head::kNone;
  }
  // What sentence-transformers writes beside an embedding model.
  const auto pooling = checkpoint.read_json("1_Pooling/config.json");
  if (!pooling.ok() || !pooling->is_object()) return;
  if (pooling->value("pooling_mode_mean_tokens", Json()) == true) config.pooling = "mean";
  if (pooling->value("pooling_mode_cls_token", Json()) == true) config.pooling = "first";
}

// Files for ranking have a head of a few rows, files for embedding say how states are pooled.
void read_gguf_head(const Checkpoint& checkpoint, ModelConfig& config) {
  constexpr int64_t kPoolingRank = 4;  // llama.cpp: 1 mean, 2 first, 3 last, 4 rank
  const int64_t pooling = checkpoint.meta_int(config.architecture + ".pooling_type").value_or(0);
  const FileTensor* classes = checkpoint.find("cls.output.weight");
  if (classes != nullptr) {
    config.head = ModelConfig::Head::kClasses;
    config.num_labels = classes->shape.size() == 2 ? classes->shape[0] : 1;
  } else if (pooling > 0 && pooling < kPoolingRank) {
    config.head = ModelConfig::Head::kNone;
    config.pooling = pooling == 1 ? "mean" : pooling == 2 ? "first" : "last";
  }
}

Result<ModelConfig> read_json_config(const Checkpoint& checkpoint) {
  auto text = checkpoint.read_json("config.json");
  if (!text.ok()) return text.error();
  const std::string where = checkpoint.name() + ": config.json";
  if (!text->is_object()) return Error{ErrorKind::kInvalid, where, "an object", "something else", ""};
  JsonNumbers json(*text);

  std::string architecture;
  if (const Json* list = json.find({"architectures"});
      list != nullptr && list->is_array() && !list->empty()) {
    if ((*list)[0].is_string()) architecture = (*list)[0].get<std::string>();
  }
  const std::string named = architecture.empty() ? json.text({"model_type"}) : architecture;
  ModelConfig config;
  if (named == "Qwen3ForCausalLM" || named == "qwen3" || named == "Qwen3Model" ||
      named == "Qwen3ForSequenceClassification") {
    config.architecture = "qwen3";
  } else if (named == "Qwen3MoeForCausalLM" || named == "qwen3_moe") {
    config.architecture = "qwen3moe";
  } else {
    return unsupported(checkpoint, named);
  }
  read_json_head(checkpoint, named, config);
  auto quantization = read_quantization(*text, where);
  if (!quantization.ok()) return quantization.error();
  config.quantization = std::move(*quantization);

  config.vocab_size = json.integer({"vocab_size"}, 0);
  config.hidden_size = json.integer({"hidden_size"}, 0);
  config.intermediate_size = json.integer({"intermediate_size"}, 0);
  config.num_hidden_layers = json.integer({"num_hidden_layers"}, 0);
  config.num_attention_heads = json.integer({"num_attention_heads"}, 0);
  config.num_key_value_heads = json.integer({"num_key_value_heads"}, config.num_attention_heads);
  const int64_t heads = std::max<int64_t>(1, config.num_attention_heads);
  config.head_dim = json.integer({"head_dim"}, config.hidden_size / heads);
  config.max_position_embeddings = json.integer({"max_position_embeddings"}, 32768);
  config.rms_norm_eps = json.number({"rms_norm_eps"}, 1e-6);
  config.rope_theta = json.number({"rope_theta"}, 10000.0);
  config.attention_bias = json.boolean("attention_bias", false);
  config.tie_word_embeddings = json.boolean("tie_word_embeddings", false);
  if (json.boolean("use_sliding_window", false)) {
    return Error{ErrorKind::kUnsupported, where + ": use_sliding_window", "false", "true", ""};
  }
  if (const std::string act = json.text({"hidden_act"}); !act.empty() && act != "silu") {
    return Error{ErrorKind::kUnsupported, where + ": hidden_act", "silu", act, ""};
  }
  if (config.architecture == "qwen3moe") {
    config.num_experts = json.integer({"num_experts", "num_local_experts"}, 0);
    config.num_experts_per_tok = json.integer({"num_experts_per_tok"}, 0);
    config.moe_intermediate_size = json.integer({"moe_intermediate_size"}, 0);
    config.norm_topk_prob = json.boolean("norm_topk_prob", false);
    config.decoder_sparse_step = json.integer({"decoder_sparse_step"}, 1);
    if (const Json* list = json.find({"mlp_only_layers"}); list != nullptr && list->is_array()) {
      for (const Json& layer : *list) {
        if (layer.is_number_integer()) config.mlp_only_layers.push_back(layer.get<int64_t>());
      }
    }
  }
  if (!json.problem().empty()) return Error{ErrorKind::kInvalid, where, "", json.problem(), ""};
  const Status rope = read_rope(json.find({"rope_parameters", "rope_scaling"}), config, where);
  if (!rope.ok()) return rope.error();
  return config;
}

void read_gguf_rope(const Checkpoint& checkpoint, const std::string& arch, ModelConfig& config) {
  const auto number = [&](const char* key) { return checkpoint.meta_float(arch + ".rope.scaling." + key); };
  const auto kind = checkpoint.meta_string(arch + ".rope.scaling.type");
  RopeScaling& scaling = config.rope_scaling;
  if (kind == "yarn") scaling.kind = RopeScaling::Kind::kYarn;
  if (kind == "linear") scaling.kind = RopeScaling::Kind::kLinear;
  scaling.factor = number("factor").value_or(1.0);
  scaling.original_max_position_embeddings =
      checkpoint.meta_int(arch + ".rope.scaling.original_context_length")
          .value_or(config.max_position_embeddings);
  scaling.beta_fast = number("yarn_beta_fast").value_or(scaling.beta_fast);
  scaling.beta_slow = number("yarn_beta_slow").value_or(scaling.beta_slow);
  scaling.attention_factor = number("attn_factor").value_or(0.0);
}

Result<ModelConfig> read_gguf_config(const Checkpoint& checkpoint) {
  ModelConfig config;
  config.architecture = std::string(checkpoint.meta_string("general.architecture").value_or(""));
  const std::string& arch = config.architecture;
  if (arch != "qwen3" && arch != "qwen3moe") return unsupported(checkpoint, arch);
  const auto integer = [&](const char* key, int64_t fallback) {
    return checkpoint.meta_int(arch + "." + key).value_or(fallback);
  };
  config.hidden_size = integer("embedding_length", 0);
  config.intermediate_size = integer("feed_forward_length", 0);
  config.num_hidden_layers = integer("block_count", 0);
  config.num_attention_heads = integer("attention.head_count", 0);
  config.num_key_value_heads = integer("attention.head_count_kv", config.num_attention_heads);
  config.head_dim =
      integer("attention.key_length", config.hidden_size / std::max<int64_t>(1, config.num_attention_heads));
  config.max_position_embeddings = integer("context_length", 32768);
  config.rms_norm_eps = checkpoint.meta_float(arch + ".attention.layer_norm_rms_epsilon").value_or(1e-6);
  config.rope_theta = checkpoint.meta_float(arch + ".rope.freq_base").value_or(1e6);
  read_gguf_rope(checkpoint, arch, config);

  const FileTensor* embedding = checkpoint.find("token_embd.weight");
  config.vocab_size = embedding != nullptr && embedding->shape.size() == 2 ? embedding->shape[0] : 0;
  config.tie_word_embeddings = checkpoint.find("output.weight") == nullptr;
  read_gguf_head(checkpoint, config);
  config.attention_bias = checkpoint.find("blk.0.attn_q.bias") != nullptr;
  if (arch == "qwen3moe") {
    config.num_experts = integer("expert_count", 0);
    config.num_experts_per_tok = integer("expert_used_count", 0);
    config.moe_intermediate_size = integer("expert_feed_forward_length", 0);
    config.norm_topk_prob = checkpoint.meta_bool(arch + ".expert_weights_norm").value_or(true);
    for (int64_t i = 0; i < std::min<int64_t>(config.num_hidden_layers, 4096); ++i) {
      const bool moe = checkpoint.find("blk." + std::to_string(i) + ".ffn_gate_inp.weight") != nullptr;
      if (!moe) config.mlp_only_layers.push_back(i);
    }
  }
  return config;
}

struct Bound {
  const char* name;
  int64_t value;
  int64_t least;
  int64_t most;
};

Status check(const ModelConfig& c, const std::string& where) {
  const bool moe = c.architecture == "qwen3moe";
  const Bound bounds[] = {
      {"vocab_size", c.vocab_size, 1, 1 << 22},
      {"hidden_size", c.hidden_size, 1, 1 << 20},
      {"intermediate_size", c.intermediate_size, moe ? 0 : 1, 1 << 22},
      {"num_hidden_layers", c.num_hidden_layers, 1, 4096},
      {"num_attention_heads", c.num_attention_heads, 1, 4096},
      {"num_key_value_heads", c.num_key_value_heads, 1, 4096},
      {"head_dim", c.head_dim, 2, kMostHeadDim},
      {"max_position_embeddings", c.max_position_embeddings, 1, 1 << 26},
      {"num_experts", c.num_experts, moe ? 1 : 0, 65536},
      {"num_experts_per_tok", c.num_experts_per_tok, moe ? 1 : 0, std::max<int64_t>(c.num_experts, 0)},
      {"moe_intermediate_size", c.moe_intermediate_size, moe ? 1 : 0, 1 << 22},
      {"decoder_sparse_step", c.decoder_sparse_step, 1, 4096},
      {"num_labels", c.num_labels, c.head == ModelConfig::Head::kClasses ? 1 : 0, 65536},
  };
  for (const Bound& bound : bounds) {
    if (bound.value < bound.least || bound.value > bound.most) {
      return Error{ErrorKind::kInvalid, where + ": " + bound.name,
                   std::to_string(bound.least) + " to " + std::to_string(bound.most),
                   std::to_string(bound.value), ""};
    }
  }
  const auto invalid = [&](const char* name, const std::string& wanted, const std::string& got) {
    return Error{ErrorKind::kInvalid, where + ": " + name, wanted, got, ""};
  };
  if (c.num_attention_heads % c.num_key_value_heads != 0) {
    return invalid("num_attention_heads",
                   "a multiple of num_key_value_heads " + std::to_string(c.num_key_value_heads),
                   std::to_string(c.num_attention_heads));
  }
  if (c.head_dim % 2 != 0) return invalid("head_dim", "an even number", std::to_string(c.head_dim));
  if (!(c.rms_norm_eps >= 0 && c.rms_norm_eps < 1)) {
    return invalid("rms_norm_eps", "0 to 1", std::to_string(c.rms_norm_eps));
  }
  if (!(c.rope_theta >= 1 && std::isfinite(c.rope_theta))) {
    return invalid("rope_theta", "at least 1", std::to_string(c.rope_theta));
  }
  const RopeScaling& scaling = c.rope_scaling;
  if (scaling.kind != RopeScaling::Kind::kNone &&
      !(scaling.factor >= 1 && std::isfinite(scaling.factor) &&
        scaling.original_max_position_embeddings >= 1 && scaling.beta_fast > 0 && scaling.beta_slow > 0)) {
    return invalid("rope_scaling", "a factor of at least 1 and positive lengths",
                   std::to_string(scaling.factor));
  }
  return Done{};
}

}  // namespace

bool has_bare_names(const Checkpoint& checkpoint) {
  return checkpoint.format() == CheckpointFormat::kSafetensors &&
         checkpoint.find("embed_tokens.weight") != nullptr &&
         checkpoint.find("model.embed_tokens.weight") == nullptr;
}

bool ModelConfig::is_moe_layer(int64_t layer) const {
  return num_experts > 0 && (layer + 1) % decoder_sparse_step == 0 &&
         std::find(mlp_only_layers.begin(), mlp_only_layers.end(), layer) == mlp_only_layers.end();
}

Result<ModelConfig> read_config(const Checkpoint& checkpoint) {
  auto config = checkpoint.format() == CheckpointFormat::kGguf ? read_gguf_config(checkpoint)
                                                               : read_json_config(checkpoint);
  if (!config.ok()) return config;
  const Status checked = check(*config, checkpoint.name());
  if (!checked.ok()) return checked.error();
  return config;
}

}  // namespace ink
