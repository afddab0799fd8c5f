// See models/weights.h.
#include "models/weights.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "models/config.h"

namespace ink {
namespace {

bool can_be_weight(Dtype dtype) {
  return dtype == Dtype::kF32 || dtype == Dtype::kF16 || dtype == Dtype::kBF16 ||
         dtype_info(dtype).is_quantized;
}

// Some 16 MB of a file: rare enough to cost nothing.
constexpr double kElementsBetweenDrops = 16e6;

constexpr std::string_view kModelPrefix = "model.";  // of all but the head, where a model was saved with it

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

std::string gguf_name(const std::string& asked) {
  const bool bare = asked.starts_with("layers.") || asked == "embed_tokens.weight" || asked == "norm.weight";
  const std::string name = bare ? std::string(kModelPrefix) + asked : asked;
  if (name == "score.weight") return "cls.output.weight";
  if (name == "model.embed_tokens.weight") return "token_embd.weight";
  if (name == "model.norm.weight") return "output_norm.weight";
  if (name == "lm_head.weight") return "output.weight";
  constexpr std::string_view kLayers = "model.layers.";
  const size_t number_end = name.starts_with(kLayers) ? name.find('.', kLayers.size()) : std::string::npos;
  const size_t suffix = name.rfind('.');
  if (number_end == std::string::npos || suffix <= number_end) return asked;
  const std::string_view middle = std::string_view(name).substr(number_end + 1, suffix - number_end - 1);
  for (const auto& [ours, theirs] : kLayerNames) {
    if (middle != ours) continue;
    return "blk." + name.substr(kLayers.size(), number_end - kLayers.size()) + "." + std::string(theirs) +
           name.substr(suffix);
  }
  return asked;
}

Weights::Weights(const Checkpoint& checkpoint, const Quantization& quantization, Arithmetic arithmetic)
    : checkpoint_(checkpoint),
      bare_names_(has_bare_names(checkpoint)),
      quantization_(quantization),
      arithmetic_(arithmetic) {}

std::string Weights::name_in_file(const std::string& tensor) const {
  if (checkpoint_.format() == CheckpointFormat::kGguf) return gguf_name(tensor);
  return bare_names_ && tensor.starts_with(kModelPrefix) ? tensor.substr(kModelPrefix.size()) : tensor;
}

const FileTensor* Weights::find(const std::string& tensor, const std::vector<int64_t>& shape) {
  const std::string name = name_in_file(tensor);
  const FileTensor* found = problems_.find(checkpoint_, name);
  if (found == nullptr) return nullptr;
  if (found->shape != shape) {
    problems_.add(name + ": expected " + shape_text(shape) + ", got " + shape_text(found->shape));
  } else if (!can_be_weight(found->dtype)) {
    problems_.add(name + ": type " + std::string(dtype_info(found->dtype).name) + " cannot be a weight");
  } else {
    return found;
  }
  return nullptr;
}

std::unique_ptr<WeightRows> Weights::open_rows(const MatrixRequest& request) {
  const std::string name = request.name + ".weight";
  if (quantization_.method != Quantization::Method::kNone) {
    // A quantized checkpoint has plain matrices as well: those that its maker left out.
    const FileTensor* plain = checkpoint_.find(name_in_file(name));
    if (plain == nullptr || !can_be_weight(plain->dtype)) {
      MatrixRequest named = request;
      named.name = name_in_file(request.name);
      return open_quantized(checkpoint_, quantization_, named, problems_);
    }
  }
  std::vector<int64_t> shape = {request.rows, request.cols};
  if (request.experts > 0) shape.insert(shape.begin(), request.experts);
  const FileTensor* tensor = find(name, shape);
  if (tensor == nullptr) return nullptr;
  const uint64_t each = tensor->bytes.size() / static_cast<uint64_t>(std::max<int64_t>(1, request.experts));
  const std::byte* data = tensor->bytes.data() + static_cast<uint64_t>(request.expert) * each;
  return std::make_unique<PlainRows>(tensor->dtype, data, request.rows, request.cols);
}

Linear Weights::plan(const std::string& name, std::unique_ptr<WeightRows> rows) {
  if (rows == nullptr) return {};
  PackedMatrix& matrix = matrices_.emplace_back();
  keep(name, std::move(rows));
  pending_.back().matrix = &matrix;
  return {&matrix, nullptr};
}

Linear Weights::linear(const std::string& name, int64_t rows, int64_t cols, bool with_bias) {
  Linear linear = plan(name, open_rows({name, rows, cols}));
  names_[linear.weight] = {gguf_name(name + ".weight"), 0, 1};
  if (with_bias) linear.bias = vector(name + ".bias", rows);
  return linear;
}

std::vector<Linear> Weights::experts(const std::string& prefix, const std::string& name, int64_t experts,
                                     int64_t rows, int64_t cols) {
  std::string stack;  // the name of a tensor that holds all experts
  if (checkpoint_.format() == CheckpointFormat::kGguf) stack = prefix + "." + name;
  constexpr std::string_view kExperts = "experts";
  if (prefix.ends_with(kExperts)) {
    const std::string mlx = prefix.substr(0, prefix.size() - kExperts.size()) + "switch_mlp." + name;
    if (checkpoint_.find(name_in_file(mlx + ".weight")) != nullptr) stack = mlx;
  }
  std::vector<Linear> linears;
  for (int64_t e = 0; e < experts; ++e) {
    if (stack.empty()) {
      linears.push_back(linear(prefix + "." + std::to_string(e) + "." + name, rows, cols));
      continue;
    }
    auto matrix = open_rows({stack, rows, cols, experts, e});
    if (matrix == nullptr) return {};  // said once, not per expert
    linears.push_back(plan(stack, std::move(matrix)));
  }
  const std::string gguf_stack = gguf_name(prefix + "." + name + ".weight");
  for (int64_t e = 0; e < experts; ++e)
    names_[linears[static_cast<size_t>(e)].weight] = {gguf_stack, e, experts};
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

const WeightRows* Weights::in_place(const std::string& name, int64_t rows, int64_t cols) {
  auto table = open_rows({name, rows, cols});
  return table == nullptr ? nullptr : keep(name, std::move(table));
}

const WeightRows* Weights::embedding(const std::string& name, int64_t rows, int64_t cols) {
  embedding_name_ = name;
  return in_place(name, rows, cols);
}

const WeightRows* Weights::rows_of(const std::string& name) const {
  const auto found =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.name == name; });
  return found == pending_.end() ? nullptr : found->rows;
}

uint64_t Weights::packed_bytes() const {
  uint64_t bytes = 0;
  for (const Pending& p : pending_) {
    if (p.matrix == nullptr) continue;
    bytes += packed_file_bytes(weight_class_for(p.rows->kind(), arithmetic_), p.rows->rows(), p.rows->cols());
  }
  return bytes;
}

// Whoever wrote the file has looked through the source.
void Weights::take(PackedFile& file) {
  for (const Pending& p : pending_) {
    if (p.matrix == nullptr) continue;
    *p.matrix = file.next(weight_class_for(p.rows->kind(), arithmetic_), p.rows->rows(), p.rows->cols());
  }
}

Status Weights::pack_one(const Pending& p, ThreadPool& threads, std::optional<PackedFileWriter>& writer) {
  if (p.matrix == nullptr) {
    if (const auto place = find_not_finite(*p.rows, threads))
      problems_.add(p.name + ": " + *place + " is not finite");
    return Done{};
  }
  auto packed = pack_matrix(*p.rows, arithmetic_, threads);
  if (packed.ok()) {
    *p.matrix = std::move(*packed);
    if (writer && !writer->add(*p.matrix).ok()) writer.reset();  // a full disk: go on without
  } else if (packed.error().kind == ErrorKind::kInvalid) {       // the other matrices may have faults as well
    problems_.add(p.name + ": " + packed.error().message());
    writer.reset();
  } else {
    return packed.error();
  }
  return Done{};
}

Status Weights::pack(ThreadPool& threads, const std::function<void(double)>& progress,
                     const PackedPlace* place) {
  if (const Status planned = problems_.report(checkpoint_.name()); !planned.ok()) return planned;
  // A vocabulary's matrix is many times as large as the others: read while little is packed yet, its pages of
  // the source need no memory that will not be used later.
  std::stable_partition(pending_.begin(), pending_.end(), [](const Pending& p) {
    return static_cast<double>(p.rows->rows()) * static_cast<double>(p.rows->cols()) > kElementsBetweenDrops;
  });
  const uint64_t bytes = packed_bytes();
  std::optional<PackedFile> file = place != nullptr ? PackedFile::open(*place, bytes) : std::nullopt;
  if (file) {
    take(*file);
    pending_.clear();
    return Done{};
  }
  std::optional<PackedFileWriter> writer;
  if (place != nullptr && place->make_room && place->make_room(bytes)) {
    auto created = PackedFileWriter::create(*place, bytes);
    if (created.ok()) writer.emplace(std::move(*created));
  }
  double elements = 0;
  for (const Pending& p : pending_)
    elements += static_cast<double>(p.rows->rows()) * static_cast<double>(p.rows->cols());
  double done = 0;
  double dropped = 0;
  for (const Pending& p : pending_) {
    if (const Status packed = pack_one(p, threads, writer); !packed.ok()) return packed;
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
  const Status sound = problems_.report(checkpoint_.name());
  if (sound.ok() && writer) {
    committing_ = std::async(
        std::launch::async,
        [whole = std::make_shared<PackedFileWriter>(std::move(*writer))] { return whole->commit(); });
  }
  return sound;
}

PlannedWeights Weights::planned() const {
  PlannedWeights sum;
  for (const Pending& p : pending_) {
    const auto elements = static_cast<uint64_t>(p.rows->rows()) * static_cast<uint64_t>(p.rows->cols());
    const bool tied = p.matrix != nullptr && p.name == embedding_name_;
    if (!tied) sum.parameters += elements;
    if (p.matrix == nullptr) continue;
    const WeightClass weight_class = weight_class_for(p.rows->kind(), arithmetic_);
    sum.packed_bytes += packed_size_bytes(weight_class, p.rows->rows(), p.rows->cols());
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
