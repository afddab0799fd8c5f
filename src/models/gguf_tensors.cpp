// See models/gguf_tensors.h.
#include "models/gguf_tensors.h"

#include <charconv>
#include <map>
#include <optional>

#include "models/weights.h"
#include "tensor/checkpoint_checks.h"
#include "tensor/quants.h"

namespace ink {
namespace {

// "model.layers.0.mlp.experts.7.up_proj.weight": the name without the number, and 7.
struct ExpertName {
  std::string stacked;  // "model.layers.0.mlp.experts.up_proj.weight"
  int64_t expert = 0;
};
std::optional<ExpertName> expert_name(const std::string& name) {
  constexpr std::string_view kExperts = ".mlp.experts.";
  const size_t place = name.find(kExperts);
  if (place == std::string::npos) return std::nullopt;
  const char* begin = name.data() + place + kExperts.size();
  const char* end_of_name = name.data() + name.size();
  ExpertName found;
  const auto [end, error] = std::from_chars(begin, end_of_name, found.expert);
  if (error != std::errc() || end == end_of_name || *end != '.' || found.expert < 0) return std::nullopt;
  found.stacked = name.substr(0, place + kExperts.size()) + std::string(end + 1, end_of_name);
  return found;
}

class Renaming {
 public:
  Renaming(const Checkpoint& checkpoint, const ModelConfig& config)
      : checkpoint_(checkpoint), config_(config) {}

  Result<std::vector<GgufTensor>> run() {
    for (const FileTensor& tensor : checkpoint_.tensors()) {
      if (tensor.name.ends_with(".rotary_emb.inv_freq")) continue;  // follows from the configuration
      if (tensor.name == "lm_head.weight" && config_.tie_word_embeddings) continue;
      const auto expert = expert_name(tensor.name);
      const Status added = expert ? add_expert(tensor, *expert) : add(tensor);
      if (!added.ok()) return added.error();
    }
    for (const GgufTensor& tensor : tensors_) {
      for (size_t e = 0; e < tensor.parts.size(); ++e) {
        if (tensor.parts[e] == nullptr)
          return Error{ErrorKind::kNotFound, tensor_place(checkpoint_.name(), tensor.name),
                       std::to_string(tensor.parts.size()) + " experts",
                       "none with number " + std::to_string(e), ""};
      }
    }
    return std::move(tensors_);
  }

 private:
  Status add(const FileTensor& tensor) {
    std::string name = gguf_name(tensor.name);
    // Scales and codes of other quantized formats (weight_scale_inv, qweight) mean nothing by themselves.
    const bool has_values = name.ends_with(".weight") || name.ends_with(".bias");
    if (name == tensor.name || !has_values || !dequantizable(tensor.dtype))
      return Error{ErrorKind::kUnsupported, tensor_place(checkpoint_.name(), tensor.name),
                   "plain weights that GGUF has a name for", "another tensor", ""};
    tensors_.push_back({std::move(name), tensor.shape, {&tensor}});
    return Done{};
  }

  Status add_expert(const FileTensor& tensor, const ExpertName& name) {
    const auto refuse = [&](std::string wanted, std::string got) {
      return Error{ErrorKind::kInvalid, tensor_place(checkpoint_.name(), tensor.name), std::move(wanted),
                   std::move(got), ""};
    };
    if (name.expert >= config_.num_experts)
      return refuse("an expert below " + std::to_string(config_.num_experts), std::to_string(name.expert));
    const auto [place, is_new] = stacks_.emplace(name.stacked, Stack{tensors_.size(), &tensor});
    const Stack& stack = place->second;
    if (is_new) {
      std::vector<int64_t> shape = tensor.shape;
      shape.insert(shape.begin(), config_.num_experts);
      tensors_.push_back({gguf_name(name.stacked), std::move(shape), {}});
      tensors_.back().parts.resize(static_cast<size_t>(config_.num_experts), nullptr);
    }
    if (tensor.shape != stack.first->shape || tensor.dtype != stack.first->dtype)
      return refuse("the type and shape of " + printable(stack.first->name), "another");
    tensors_[stack.place].parts[static_cast<size_t>(name.expert)] = &tensor;
    return Done{};
  }

  struct Stack {
    size_t place;  // in tensors_
    const FileTensor* first;
  };
  const Checkpoint& checkpoint_;
  const ModelConfig& config_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string, Stack> stacks_;  // by the name without the number
};

}  // namespace

Result<std::vector<GgufTensor>> gguf_tensors(const Checkpoint& checkpoint, const ModelConfig& config) {
  if (checkpoint.format() == CheckpointFormat::kSafetensors) return Renaming(checkpoint, config).run();
  std::vector<GgufTensor> tensors;
  for (const FileTensor& tensor : checkpoint.tensors())
    tensors.push_back({tensor.name, tensor.shape, {&tensor}});
  return tensors;
}

}  // namespace ink
