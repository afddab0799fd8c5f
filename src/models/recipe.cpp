// See models/recipe.h.
#include "models/recipe.h"

#include <charconv>

namespace ink {
namespace {

using enum Dtype;
using Chosen = Recipe::Chosen;

// Q4_K_L is ours: for models below two billion parameters, which four bits hurt most.
constexpr Recipe kRecipes[] = {
    // name, file type, base, head, value, attention, down, chosen down
    {"Q4_0", 2, kQ4_0, kQ6_K, kQ4_0, kQ4_0, kQ4_0, kQ4_0, Chosen::kNone},
    {"Q8_0", 7, kQ8_0, kQ8_0, kQ8_0, kQ8_0, kQ8_0, kQ8_0, Chosen::kNone},
    {"Q4_K_S", 14, kQ4_K, kQ6_K, kQ5_K, kQ4_K, kQ4_K, kQ5_K, Chosen::kEnds},
    {"Q4_K_M", 15, kQ4_K, kQ6_K, kQ6_K, kQ4_K, kQ4_K, kQ5_K, Chosen::kOuter},
    {"Q4_K_L", 15, kQ4_K, kQ8_0, kQ6_K, kQ6_K, kQ6_K, kQ6_K, Chosen::kNone},
    {"Q5_K_S", 16, kQ5_K, kQ6_K, kQ5_K, kQ5_K, kQ5_K, kQ5_K, Chosen::kNone},
    {"Q5_K_M", 17, kQ5_K, kQ6_K, kQ6_K, kQ5_K, kQ5_K, kQ6_K, Chosen::kHalf},
    {"Q6_K", 18, kQ6_K, kQ6_K, kQ6_K, kQ6_K, kQ6_K, kQ6_K, Chosen::kNone},
    {"IQ4_NL", 25, kIQ4_NL, kQ6_K, kQ5_K, kIQ4_NL, kIQ4_NL, kQ5_K, Chosen::kEnds},
    {"IQ4_XS", 30, kIQ4_XS, kQ6_K, kQ5_K, kIQ4_XS, kIQ4_XS, kQ5_K, Chosen::kEnds},
    {"F32", 0, kF32, kF32, kF32, kF32, kF32, kF32, Chosen::kNone},
    {"F16", 1, kF16, kF16, kF16, kF16, kF16, kF16, Chosen::kNone},
    {"BF16", 32, kBF16, kBF16, kBF16, kBF16, kBF16, kBF16, Chosen::kNone},
};

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return result;
}

// "blk.7.ffn_down.weight": 7 and "ffn_down".
struct LayerName {
  int64_t layer = 0;
  std::string_view part;
};
std::optional<LayerName> layer_name(std::string_view name) {
  constexpr std::string_view kLayers = "blk.";
  constexpr std::string_view kWeight = ".weight";
  if (!name.starts_with(kLayers) || !name.ends_with(kWeight)) return std::nullopt;
  name = name.substr(kLayers.size(), name.size() - kLayers.size() - kWeight.size());
  LayerName found;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), found.layer);
  const auto digits = static_cast<size_t>(end - name.data());
  if (error != std::errc() || digits >= name.size() || name[digits] != '.') return std::nullopt;
  found.part = name.substr(digits + 1);
  return found;
}

bool is_chosen(Chosen chosen, int64_t layer, int64_t layers) {
  if (chosen == Chosen::kNone) return false;
  if (chosen == Chosen::kOuter) return 8 * layer < 3 * layers || 8 * layer >= 5 * layers;
  const bool at_an_end = layer < (layers + 7) / 8 || layer >= layers - (layers + 7) / 8;
  return at_an_end || (chosen == Chosen::kHalf && layer % 3 == 0);
}

// In a mixture of experts attention is a few hundredths of the bytes and works on every token.
Dtype one_step_wider(Dtype dtype) {
  if (dtype == kQ4_K || dtype == kQ5_K || dtype == kIQ4_XS || dtype == kIQ4_NL) return kQ6_K;
  return dtype == kQ6_K ? kQ8_0 : dtype;
}

Dtype wanted_type(const Recipe& recipe, const TypeWishes& wishes, const ModelConfig& config,
                  const std::string& name) {
  for (const auto& [pattern, dtype] : wishes.by_name) {
    if (std::regex_search(name, pattern)) return dtype;
  }
  const bool is_embedding = name == "token_embd.weight";
  if (is_embedding && wishes.token_embedding) return *wishes.token_embedding;
  if (name == "output.weight" && wishes.output) return *wishes.output;
  if (wishes.pure) return recipe.base;
  if (name == "output.weight" || (is_embedding && config.tie_word_embeddings)) return recipe.head;
  const auto in_layer = layer_name(name);
  if (!in_layer) return recipe.base;
  const std::string_view part = in_layer->part;
  const bool experts = config.num_experts > 0;
  if (part == "attn_v") return experts ? one_step_wider(recipe.value) : recipe.value;
  if (part == "attn_q" || part == "attn_k" || part == "attn_output")
    return experts ? one_step_wider(recipe.attention) : recipe.attention;
  if (!part.starts_with("ffn_down")) return recipe.base;
  return is_chosen(recipe.chosen, in_layer->layer, config.num_hidden_layers) ? recipe.chosen_down
                                                                             : recipe.down;
}

Dtype with_blocks_of_32(Dtype dtype) {
  switch (dtype) {
    case kQ4_K:
      return kQ5_0;
    case kQ5_K:
      return kQ5_1;
    case kQ6_K:
      return kQ8_0;
    case kIQ4_XS:
      return kIQ4_NL;
    default:
      return dtype;
  }
}

}  // namespace

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const Recipe& recipe : kRecipes) names.emplace_back(recipe.name);
  return names;
}

std::optional<Recipe> find_recipe(std::string_view name) {
  std::string wanted = upper(name);
  if (wanted == "Q4_K" || wanted == "Q5_K") wanted += "_M";
  for (const Recipe& recipe : kRecipes) {
    if (wanted == recipe.name) return recipe;
  }
  return std::nullopt;
}

bool is_quantized_tensor(std::string_view name, const std::vector<int64_t>& shape) {
  return shape.size() >= 2 && name.ends_with(".weight") && !name.ends_with(".ffn_gate_inp.weight");
}

Dtype recipe_type(const Recipe& recipe, const TypeWishes& wishes, const ModelConfig& config,
                  const std::string& name, const std::vector<int64_t>& shape) {
  Dtype dtype = wanted_type(recipe, wishes, config, name);
  if (shape.back() % dtype_info(dtype).block_elements != 0) dtype = with_blocks_of_32(dtype);
  return shape.back() % dtype_info(dtype).block_elements == 0 ? dtype : kF16;
}

}  // namespace ink
