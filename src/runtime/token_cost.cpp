// See runtime/token_cost.h.
#include "runtime/token_cost.h"

#include <string>

#include "runtime/kv_cache.h"

namespace ink {
namespace {

bool is_expert(const std::string& name) {
  return name.find("_exps.") != std::string::npos || name.find(".experts.") != std::string::npos;
}

// Whatever a file calls the parts of a quantized table or head.
bool is_table(const std::string& name) {
  return name.starts_with("token_embd.") || name.starts_with("model.embed_tokens.");
}
bool is_head(const std::string& name) { return name.starts_with("output.") || name.starts_with("lm_head."); }

// Products of a token with the matrices of a layer.
double layer_products(const ModelConfig& config, int64_t layer) {
  const int64_t queries = config.num_attention_heads * config.head_dim;
  const int64_t keys = config.num_key_value_heads * config.head_dim;
  int64_t columns = 2 * queries + 2 * keys;  // q and o, k and v
  if (config.is_moe_layer(layer))
    columns += config.num_experts + 3 * config.num_experts_per_tok * config.moe_intermediate_size;
  else
    columns += 3 * config.intermediate_size;
  return static_cast<double>(config.hidden_size) * static_cast<double>(columns);
}

}  // namespace

TokenCost token_cost(const Checkpoint& checkpoint, const ModelConfig& config, KvType cache_type) {
  TokenCost cost;
  cost.is_routed = config.num_experts > 0;
  for (const FileTensor& tensor : checkpoint.tensors()) {
    // Of an embedding table that is not the head as well a token reads one row; some files have a head that
    // nobody reads, because the table is the head.
    if (config.tie_word_embeddings ? is_head(tensor.name) : is_table(tensor.name)) continue;
    double share = 1;
    if (is_expert(tensor.name) && config.num_experts > 0)
      share = static_cast<double>(config.num_experts_per_tok) / static_cast<double>(config.num_experts);
    cost.weight_bytes += static_cast<uint64_t>(share * static_cast<double>(tensor.bytes.size()));
  }
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
    cost.body_operations += 2 * layer_products(config, layer);
  cost.head_operations = 2 * static_cast<double>(config.vocab_size * config.hidden_size);
  cost.kv_bytes = KvCache::size_bytes(config, cache_type, kKvPageTokens) / kKvPageTokens;
  // A product of the query with each key, and of each value with its probability.
  cost.score_operations =
      4 * static_cast<double>(config.num_hidden_layers * config.num_attention_heads * config.head_dim);
  return cost;
}

}  // namespace ink
