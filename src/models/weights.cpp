// See models/weights.h.
#include "models/weights.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "tensor/quants.h"

namespace ink {
namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

bool can_be_weight(Dtype dtype) {
  return dtype == Dtype::kF32 || dtype == Dtype::kF16 || dtype == Dtype::kBF16 ||
         dtype_info(dtype).is_quantized;
}

// Parts of a layer's tensor names: the checkpoint's and GGUF's.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kLayerNames = {{
    {"input_layernorm", "attn_norm"},
    {"post_attention_layernorm", "ffn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"mlp.gate", "ffn_gate_inp"},
    {"mlp.experts.gate_proj", "ffn_gate_exps"},
    {"mlp.experts.up_proj", "ffn_up_exps"},
    {"mlp.experts.down_proj", "ffn_down_exps"},
}};

}  // namespace

std::string gguf_name(const std::string& name) {
  if (name == "model.embed_tokens.weight") return "token_embd.weight";
  if (name == "model.norm.weight") return "output_norm.weight";
  if (name == "lm_head.weight") return "output.weight";
  constexpr std::string_view kLayers = "model.layers.";
  const size_t number_end = name.starts_with(kLayers) ? name.find('.', kLayers.size()) : std::string::npos;
  const size_t suffix = name.rfind('.');
  if (number_end == std::string::npos || suffix <= number_end) return name;
  const std::string_view middle = std::string_view(name).substr(number_end + 1, suffix - number_end - 1);
  for (const auto& [ours, theirs] : kLayerNames) {
    if (middle != ours) continue;
    return "blk." + name.substr(kLayers.size(), number_end - kLayers.size()) + "." + std::string(theirs) +
           name.substr(suffix);
  }
  return name;
}

const FileTensor* Weights::find(const std::string& tensor, const std::vector<int64_t>& shape) {
  const std::string name = checkpoint_.format() == CheckpointFormat::kGguf ? gguf_name(tensor) : tensor;
  const FileTensor* found = checkpoint_.find(name);
  if (found == nullptr) {
    problems_.push_back(name + ": missing");
    missing_ = true;
  } else if (found->shape != shape) {
    problems_.push_back(name + ": expected " + shape_text(shape) + ", got " + shape_text(found->shape));
  } else if (!can_be_weight(found->dtype)) {
    problems_.push_back(name + ": type " + std::string(dtype_info(found->dtype).name) +
                        " cannot be a weight");
  } else {
    return found;
  }
  return nullptr;
}

Linear Weights::plan(const FileTensor* tensor, uint64_t offset_bytes, int64_t rows, int64_t cols) {
  if (tensor == nullptr) return {};
  PackedMatrix& matrix = matrices_.emplace_back();
  pending_.push_back({&matrix, tensor->dtype, tensor->bytes.data() + offset_bytes, rows, cols});
  return {&matrix, nullptr};
}

Linear Weights::linear(const std::string& name, int64_t rows, int64_t cols, bool with_bias) {
  Linear linear = plan(find(name + ".weight", {rows, cols}), 0, rows, cols);
  names_[linear.weight] = {gguf_name(name + ".weight"), 0, 1};
  if (with_bias) linear.bias = vector(name + ".bias", rows);
  return linear;
}

std::vector<Linear> Weights::experts(const std::string& prefix, const std::string& name, int64_t experts,
                                     int64_t rows, int64_t cols) {
  std::vector<Linear> linears;
  const auto name_them = [&] {
    const std::string stacked = gguf_name(prefix + "." + name + ".weight");
    for (int64_t e = 0; e < experts; ++e)
      names_[linears[static_cast<size_t>(e)].weight] = {stacked, e, experts};
  };
  if (checkpoint_.format() == CheckpointFormat::kGguf) {
    const FileTensor* stacked = find(prefix + "." + name + ".weight", {experts, rows, cols});
    if (stacked == nullptr) return {};
    const uint64_t each = stacked->bytes.size() / static_cast<uint64_t>(experts);
    for (int64_t e = 0; e < experts; ++e)
      linears.push_back(plan(stacked, static_cast<uint64_t>(e) * each, rows, cols));
    name_them();
    return linears;
  }
  for (int64_t e = 0; e < experts; ++e) {
    linears.push_back(linear(prefix + "." + std::to_string(e) + "." + name, rows, cols));
  }
  name_them();
  return linears;
}

const float* Weights::vector(const std::string& name, int64_t size) {
  const bool is_bias = name.ends_with(".bias");
  const FileTensor* tensor = find(is_bias ? name : name + ".weight", {size});
  if (tensor == nullptr) return nullptr;
  const std::byte* data = tensor->bytes.data();
  if (tensor->dtype == Dtype::kF32 && reinterpret_cast<uintptr_t>(data) % alignof(float) == 0) {
    return reinterpret_cast<const float*>(data);
  }
  auto& copy = vectors_.emplace_back(static_cast<size_t>(size));
  dequantize_row(tensor->dtype, data, size, copy.data());
  return copy.data();
}

Embedding Weights::embedding(const std::string& name, int64_t rows, int64_t cols) {
  const FileTensor* tensor = find(name + ".weight", {rows, cols});
  if (tensor == nullptr) return {};
  return {tensor->dtype, tensor->bytes.data(), rows, cols};
}

Status Weights::pack(ThreadPool& threads, const std::function<void(double)>& progress) {
  constexpr size_t kMostListed = 30;
  if (!problems_.empty()) {
    std::string list = std::to_string(problems_.size()) + " tensors are wrong: ";
    for (size_t i = 0; i < std::min(problems_.size(), kMostListed); ++i)
      list += (i == 0 ? "" : "; ") + problems_[i];
    if (problems_.size() > kMostListed)
      list += "; and " + std::to_string(problems_.size() - kMostListed) + " more";
    return Error{missing_ ? ErrorKind::kNotFound : ErrorKind::kInvalid, checkpoint_.name(), "", list, ""};
  }
  double elements = 0;
  for (const Pending& p : pending_) elements += static_cast<double>(p.rows) * static_cast<double>(p.cols);
  double done = 0;
  for (const Pending& p : pending_) {
    auto packed = pack_matrix(p.dtype, p.data, p.rows, p.cols, arithmetic_, threads);
    if (!packed.ok()) return packed.error();
    *p.matrix = std::move(*packed);
    done += static_cast<double>(p.rows) * static_cast<double>(p.cols);
    if (progress) progress(done / elements);
  }
  pending_.clear();
  return Done{};
}

const MatrixName* Weights::name_of(const PackedMatrix* matrix) const {
  const auto found = names_.find(matrix);
  return found == names_.end() ? nullptr : &found->second;
}

uint64_t Weights::size_bytes() const {
  uint64_t sum = 0;
  for (const PackedMatrix& matrix : matrices_) sum += matrix.size_bytes();
  return sum;
}

}  // namespace ink
