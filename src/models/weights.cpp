// See models/weights.h.
#include "models/weights.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"

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

// Some 16 MB of a file: rare enough to cost nothing.
constexpr double kElementsBetweenDrops = 16e6;

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

// A tied head asks for the embedding a second time.
void Weights::add_problem(const std::string& problem) {
  if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end()) problems_.push_back(problem);
}

const FileTensor* Weights::find(const std::string& tensor, const std::vector<int64_t>& shape) {
  const std::string name = checkpoint_.format() == CheckpointFormat::kGguf ? gguf_name(tensor) : tensor;
  const FileTensor* found = checkpoint_.find(name);
  if (found == nullptr) {
    add_problem(name + ": missing");
    missing_ = true;
  } else if (found->shape != shape) {
    add_problem(name + ": expected " + shape_text(shape) + ", got " + shape_text(found->shape));
  } else if (!can_be_weight(found->dtype)) {
    add_problem(name + ": type " + std::string(dtype_info(found->dtype).name) + " cannot be a weight");
  } else {
    return found;
  }
  return nullptr;
}

std::unique_ptr<WeightRows> Weights::open_rows(const std::string& name, int64_t rows, int64_t cols) {
  const FileTensor* tensor = find(name + ".weight", {rows, cols});
  if (tensor == nullptr) return nullptr;
  return std::make_unique<PlainRows>(tensor->dtype, tensor->bytes.data(), rows, cols);
}

Linear Weights::plan(const std::string& name, std::unique_ptr<WeightRows> rows) {
  if (rows == nullptr) return {};
  PackedMatrix& matrix = matrices_.emplace_back();
  keep(name, std::move(rows));
  pending_.back().matrix = &matrix;
  return {&matrix, nullptr};
}

Linear Weights::linear(const std::string& name, int64_t rows, int64_t cols, bool with_bias) {
  Linear linear = plan(name, open_rows(name, rows, cols));
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
    const std::string stack = prefix + "." + name;
    const FileTensor* stacked = find(stack + ".weight", {experts, rows, cols});
    if (stacked == nullptr) return {};
    const uint64_t each = stacked->bytes.size() / static_cast<uint64_t>(experts);
    for (int64_t e = 0; e < experts; ++e) {
      const std::byte* data = stacked->bytes.data() + static_cast<uint64_t>(e) * each;
      linears.push_back(plan(stack, std::make_unique<PlainRows>(stacked->dtype, data, rows, cols)));
    }
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
  const WeightRows* row = keep(name, std::make_unique<PlainRows>(tensor->dtype, data, 1, size));
  if (tensor->dtype == Dtype::kF32 && reinterpret_cast<uintptr_t>(data) % alignof(float) == 0) {
    return reinterpret_cast<const float*>(data);
  }
  auto& copy = vectors_.emplace_back(static_cast<size_t>(size));
  row->read_floats(0, copy.data());
  return copy.data();
}

const WeightRows* Weights::keep(const std::string& name, std::unique_ptr<WeightRows> rows) {
  rows_.push_back(std::move(rows));
  pending_.push_back({name, nullptr, rows_.back().get()});
  return rows_.back().get();
}

const WeightRows* Weights::embedding(const std::string& name, int64_t rows, int64_t cols) {
  auto table = open_rows(name, rows, cols);
  return table == nullptr ? nullptr : keep(name, std::move(table));
}

Status Weights::report() const {
  constexpr size_t kMostListed = 30;
  if (problems_.empty()) return Done{};
  std::string list = std::to_string(problems_.size()) + " tensors are wrong: ";
  for (size_t i = 0; i < std::min(problems_.size(), kMostListed); ++i)
    list += (i == 0 ? "" : "; ") + problems_[i];
  if (problems_.size() > kMostListed)
    list += "; and " + std::to_string(problems_.size() - kMostListed) + " more";
  return Error{missing_ ? ErrorKind::kNotFound : ErrorKind::kInvalid, checkpoint_.name(), "", list, ""};
}

Status Weights::pack(ThreadPool& threads, const std::function<void(double)>& progress) {
  if (const Status planned = report(); !planned.ok()) return planned;
  double elements = 0;
  for (const Pending& p : pending_)
    elements += static_cast<double>(p.rows->rows()) * static_cast<double>(p.rows->cols());
  double done = 0;
  double dropped = 0;
  for (const Pending& p : pending_) {
    if (p.matrix != nullptr) {
      auto packed = pack_matrix(*p.rows, arithmetic_, threads);
      if (packed.ok()) {
        *p.matrix = std::move(*packed);
      } else if (packed.error().kind == ErrorKind::kInvalid) {  // the other matrices may have faults as well
        problems_.push_back(p.name + ": " + packed.error().message());
      } else {
        return packed.error();
      }
    } else if (const auto place = find_not_finite(*p.rows, threads)) {
      problems_.push_back(p.name + ": " + *place + " is not finite");
    }
    done += static_cast<double>(p.rows->rows()) * static_cast<double>(p.rows->cols());
    // What was read is given back as packing goes on, so that source and panels are never both in memory.
    if (done - dropped > kElementsBetweenDrops) {
      checkpoint_.drop_pages();
      dropped = done;
    }
    if (progress) progress(done / elements);
  }
  checkpoint_.drop_pages();
  pending_.clear();
  return report();
}

uint64_t Weights::planned_bytes() const {
  uint64_t sum = 0;
  for (const Pending& p : pending_) {
    if (p.matrix == nullptr) continue;
    sum += packed_size_bytes(weight_class_for(p.rows->kind(), arithmetic_), p.rows->rows(), p.rows->cols());
  }
  return sum;
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
