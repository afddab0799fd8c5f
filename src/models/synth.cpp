// See models/synth.h. Matrices are cut from a pool of 131,072 normal deviates (sigma 0.02) that is encoded
// once: so the slowest quantizer costs as little as the fastest, and any row differs from any other.
#include "models/synth.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "base/mapped_file.h"
#include "models/gguf_metadata.h"
#include "models/weights.h"
#include "tensor/gguf_writer.h"
#include "tensor/quants.h"
#include "tensor/quants_fit.h"
#include "tensor/safetensors_writer.h"

namespace ink {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kPieceElements = 256;  // a multiple of every block
constexpr int64_t kPoolPieces = 512;
constexpr double kPi = 3.14159265358979323846;

struct KnownShape {
  const char* name;
  int64_t hidden, feed_forward, layers, heads, kv_heads;
  bool tied;
  int64_t context;
  int64_t experts, experts_per_token;
};
constexpr KnownShape kKnownShapes[] = {
    {"Qwen3-0.6B", 1024, 3072, 28, 16, 8, true, 40960, 0, 0},
    {"Qwen3-1.7B", 2048, 6144, 28, 16, 8, true, 40960, 0, 0},
    {"Qwen3-4B", 2560, 9728, 36, 32, 8, true, 40960, 0, 0},
    {"Qwen3-8B", 4096, 12288, 36, 32, 8, false, 40960, 0, 0},
    {"Qwen3-14B", 5120, 17408, 40, 40, 8, false, 40960, 0, 0},
    {"Qwen3-32B", 5120, 25600, 64, 64, 8, false, 40960, 0, 0},
    {"Qwen3-30B-A3B", 2048, 768, 48, 32, 4, false, 40960, 128, 8},
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return result;
}

struct Mix {
  const char* name;
  Dtype most;
};
constexpr Mix kMixes[] = {{"q4_k_m", Dtype::kQ4_K}, {"q5_k_m", Dtype::kQ5_K}};

// llama.cpp's choice: the first and the last eighth of the layers, and of the others every third.
bool is_widened(int64_t layer, int64_t layers) {
  const int64_t eighth = layers / 8;
  return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
}

bool has_wider_head(Dtype most) {
  return most == Dtype::kQ4_0 || most == Dtype::kQ4_1 || most == Dtype::kQ5_0 || most == Dtype::kQ5_1 ||
         most == Dtype::kQ4_K || most == Dtype::kQ5_K;
}

std::vector<Dtype> writable_types() {
  std::vector<Dtype> types;
  for (uint32_t id = 0; id <= static_cast<uint32_t>(Dtype::kNVFP4); ++id) {
    const DtypeInfo* info = find_dtype(id);
    if (info != nullptr && (quantizable(info->dtype) || fittable(info->dtype))) types.push_back(info->dtype);
  }
  return types;
}

ModelConfig config_of(const KnownShape& shape) {
  ModelConfig config;
  config.architecture = shape.experts > 0 ? "qwen3moe" : "qwen3";
  config.vocab_size = 151936;
  config.hidden_size = shape.hidden;
  config.intermediate_size = shape.experts > 0 ? 6144 : shape.feed_forward;
  config.num_hidden_layers = shape.layers;
  config.num_attention_heads = shape.heads;
  config.num_key_value_heads = shape.kv_heads;
  config.head_dim = 128;
  config.max_position_embeddings = shape.context;
  config.tie_word_embeddings = shape.tied;
  config.num_experts = shape.experts;
  config.num_experts_per_tok = shape.experts_per_token;
  config.moe_intermediate_size = shape.experts > 0 ? shape.feed_forward : 0;
  return config;
}

// Lists the tensors of one model under the names of its format.
class Plan {
 public:
  explicit Plan(const SynthOptions& options)
      : options_(options), is_gguf_(options.format == CheckpointFormat::kGguf) {}

  void exact(const std::string& name, std::vector<int64_t> shape) {
    add(name, is_gguf_ ? Dtype::kF32 : options_.types.most, std::move(shape));
  }
  void add(const std::string& name, Dtype dtype, std::vector<int64_t> shape) {
    const std::string full = name + ".weight";
    tensors_.push_back({is_gguf_ ? gguf_name(full) : full, dtype, std::move(shape)});
  }
  // One matrix per expert, or all stacked in GGUF.
  void experts(const std::string& mlp, const std::string& name, Dtype dtype, int64_t rows, int64_t cols) {
    const int64_t count = options_.config.num_experts;
    if (is_gguf_) return add(mlp + "experts." + name, dtype, {count, rows, cols});
    for (int64_t e = 0; e < count; ++e)
      add(mlp + "experts." + std::to_string(e) + "." + name, dtype, {rows, cols});
  }
  std::vector<PlannedTensor> take() { return std::move(tensors_); }

 private:
  const SynthOptions& options_;
  bool is_gguf_;
  std::vector<PlannedTensor> tensors_;
};

void plan_layer(Plan& plan, const SynthOptions& options, int64_t index) {
  const ModelConfig& config = options.config;
  const std::string layer = "model.layers." + std::to_string(index) + ".";
  const Dtype most = options.types.most;
  const bool wide = options.types.widens && is_widened(index, config.num_hidden_layers);
  const Dtype wider = wide ? Dtype::kQ6_K : most;
  const int64_t hidden = config.hidden_size;
  const int64_t queries = config.num_attention_heads * config.head_dim;
  const int64_t keys = config.num_key_value_heads * config.head_dim;
  plan.exact(layer + "input_layernorm", {hidden});
  plan.add(layer + "self_attn.q_proj", most, {queries, hidden});
  plan.add(layer + "self_attn.k_proj", most, {keys, hidden});
  plan.add(layer + "self_attn.v_proj", wider, {keys, hidden});
  plan.add(layer + "self_attn.o_proj", most, {hidden, queries});
  plan.exact(layer + "self_attn.q_norm", {config.head_dim});
  plan.exact(layer + "self_attn.k_norm", {config.head_dim});
  plan.exact(layer + "post_attention_layernorm", {hidden});
  if (config.num_experts > 0) {
    const int64_t inner = config.moe_intermediate_size;
    plan.exact(layer + "mlp.gate", {config.num_experts, hidden});
    plan.experts(layer + "mlp.", "gate_proj", most, inner, hidden);
    plan.experts(layer + "mlp.", "up_proj", most, inner, hidden);
    plan.experts(layer + "mlp.", "down_proj", wider, hidden, inner);
  } else {
    plan.add(layer + "mlp.gate_proj", most, {config.intermediate_size, hidden});
    plan.add(layer + "mlp.up_proj", most, {config.intermediate_size, hidden});
    plan.add(layer + "mlp.down_proj", wider, {hidden, config.intermediate_size});
  }
}

// Encoded normal deviates.
std::vector<std::byte> make_pool(Dtype dtype, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return static_cast<double>((random() >> 11) + 1) * 0x1p-53; };  // (0, 1]
  std::vector<float> values(static_cast<size_t>(kPoolPieces * kPieceElements));
  for (size_t i = 0; i < values.size(); i += 2) {  // Box and Muller, 1958
    const double radius = 0.02 * std::sqrt(-2 * std::log(uniform()));
    const double angle = 2 * kPi * uniform();
    values[i] = static_cast<float>(radius * std::cos(angle));
    values[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
  std::vector<std::byte> pool(*size_bytes_of(dtype, values.size()));
  const auto count = static_cast<int64_t>(values.size());
  if (!quantize_row(dtype, values.data(), count, pool.data()))
    fit_row(dtype, values.data(), nullptr, count, pool.data());
  return pool;
}

// Gives the bytes of planned tensors: ones for vectors (norms), pieces of a pool for matrices.
class RandomWeights {
 public:
  RandomWeights(const SynthOptions& options, const std::vector<PlannedTensor>& tensors)
      : options_(options), tensors_(tensors), random_(options.seed ^ 0x9e3779b97f4a7c15u) {
    for (const auto& tensor : tensors) total_ += planned_size(tensor);
  }

  Status give(size_t index, const TensorSink& sink) {
    const PlannedTensor& tensor = tensors_[index];
    const uint64_t size = planned_size(tensor);
    if (tensor.shape.size() == 1) return give_ones(tensor, size, sink);
    const std::vector<std::byte>& pool = pool_of(tensor.dtype);
    const uint64_t piece = pool.size() / kPoolPieces;
    std::vector<std::byte> block;
    for (uint64_t done = 0; done < size; done += block.size()) {
      block.clear();
      while (block.size() < kBlockBytes && done + block.size() < size) {
        const std::byte* start = pool.data() + (random_() % kPoolPieces) * piece;
        block.insert(block.end(), start, start + std::min(piece, size - done - block.size()));
      }
      const Status given = pass_on(block, sink);
      if (!given.ok()) return given;
    }
    return Done{};
  }

 private:
  static constexpr size_t kBlockBytes = 1 << 20;

  static uint64_t planned_size(const PlannedTensor& tensor) {
    const auto size = planned_size_bytes(tensor);
    return size.ok() ? *size : 0;  // the writer refuses it
  }
  Status give_ones(const PlannedTensor& tensor, uint64_t size, const TensorSink& sink) {
    const std::vector<float> ones(static_cast<size_t>(tensor.shape[0]), 1.0f);
    std::vector<std::byte> bytes(size);
    quantize_row(tensor.dtype, ones.data(), tensor.shape[0], bytes.data());
    return pass_on(bytes, sink);
  }
  Status pass_on(std::span<const std::byte> bytes, const TensorSink& sink) {
    given_ += bytes.size();
    if (options_.progress) options_.progress(static_cast<double>(given_) / static_cast<double>(total_));
    return sink(bytes);
  }
  const std::vector<std::byte>& pool_of(Dtype dtype) {
    std::vector<std::byte>& pool = pools_[dtype];
    if (pool.empty()) pool = make_pool(dtype, options_.seed);
    return pool;
  }

  const SynthOptions& options_;
  const std::vector<PlannedTensor>& tensors_;
  std::mt19937_64 random_;
  std::map<Dtype, std::vector<std::byte>> pools_;
  uint64_t total_ = 0;
  uint64_t given_ = 0;
};

void add_metadata(GgufWriter& writer, const SynthOptions& options, const SynthVocabulary& vocabulary) {
  writer.add_string("general.architecture", options.config.architecture);
  writer.add_string("general.name", options.name + " (random weights)");
  add_hyperparameters(writer, options.config);
  add_vocabulary(writer, vocabulary);
  const int32_t end = vocabulary.find("<|im_end|>");
  if (end >= 0) writer.add_number("tokenizer.ggml.eos_token_id", static_cast<uint32_t>(end));
}

Json config_json(const ModelConfig& config) {
  const bool routed = config.num_experts > 0;
  Json json{{"architectures", {routed ? "Qwen3MoeForCausalLM" : "Qwen3ForCausalLM"}},
            {"model_type", routed ? "qwen3_moe" : "qwen3"},
            {"attention_bias", false},
            {"head_dim", config.head_dim},
            {"hidden_act", "silu"},
            {"hidden_size", config.hidden_size},
            {"intermediate_size", config.intermediate_size},
            {"max_position_embeddings", config.max_position_embeddings},
            {"num_attention_heads", config.num_attention_heads},
            {"num_hidden_layers", config.num_hidden_layers},
            {"num_key_value_heads", config.num_key_value_heads},
            {"rms_norm_eps", config.rms_norm_eps},
            {"rope_theta", config.rope_theta},
            {"rope_scaling", nullptr},
            {"tie_word_embeddings", config.tie_word_embeddings},
            {"vocab_size", config.vocab_size}};
  if (routed) {
    json["num_experts"] = config.num_experts;
    json["num_experts_per_tok"] = config.num_experts_per_tok;
    json["moe_intermediate_size"] = config.moe_intermediate_size;
    json["norm_topk_prob"] = true;
    json["decoder_sparse_step"] = 1;
    json["mlp_only_layers"] = Json::array();
  }
  return json;
}

Json generation_json(const SynthVocabulary& vocabulary) {
  Json stops = Json::array();
  for (const char* token : {"<|im_end|>", "<|endoftext|>"}) {
    if (vocabulary.find(token) >= 0) stops.push_back(vocabulary.find(token));
  }
  return {{"do_sample", true}, {"temperature", 0.6}, {"top_k", 20}, {"top_p", 0.95}, {"eos_token_id", stops}};
}

Status write_folder(const fs::path& folder, const SynthOptions& options, const SynthVocabulary& vocabulary,
                    const std::vector<PlannedTensor>& tensors, const TensorSource& source) {
  const auto write_text = [&](const char* name, const std::string& text) {
    return write_file_atomically(folder / name, std::as_bytes(std::span(text)));
  };
  SafetensorsWriter writer;
  for (const auto& tensor : tensors) writer.add_tensor(tensor);
  Status written = writer.write(folder / "model.safetensors", source);
  if (written.ok()) written = write_text("tokenizer.json", vocabulary.tokenizer_json);
  if (written.ok())
    written = write_text("generation_config.json", generation_json(vocabulary).dump(2) + "\n");
  if (written.ok()) written = write_text("config.json", config_json(options.config).dump(2) + "\n");
  return written;
}

}  // namespace

std::vector<std::string> known_shape_names() {
  std::vector<std::string> names;
  for (const auto& shape : kKnownShapes) names.emplace_back(shape.name);
  return names;
}

std::optional<ModelConfig> find_known_shape(std::string_view name) {
  for (const auto& shape : kKnownShapes) {
    const std::string known = lower(shape.name);
    if (lower(name) == known || "qwen3-" + lower(name) == known) return config_of(shape);
  }
  return std::nullopt;
}

std::optional<SynthTypes> find_synth_types(std::string_view name, bool pure) {
  std::optional<SynthTypes> types;
  for (const auto& mix : kMixes) {
    if (lower(name) == mix.name && !pure) types = {mix.most, mix.most, true};
  }
  for (const Dtype dtype : writable_types()) {
    if (lower(name) == lower(dtype_info(dtype).name)) types = {dtype, dtype, false};
  }
  if (types && !pure && has_wider_head(types->most)) types->head = Dtype::kQ6_K;
  return types;
}

std::vector<std::string> synth_type_names() {
  std::vector<std::string> names;
  for (const auto& mix : kMixes) names.emplace_back(mix.name);
  for (const Dtype dtype : writable_types()) names.push_back(lower(dtype_info(dtype).name));
  return names;
}

std::vector<PlannedTensor> plan_synthetic(const SynthOptions& options) {
  const ModelConfig& config = options.config;
  const SynthTypes& types = options.types;
  Plan plan(options);
  plan.add("model.embed_tokens", config.tie_word_embeddings ? types.head : types.most,
           {config.vocab_size, config.hidden_size});
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) plan_layer(plan, options, layer);
  plan.exact("model.norm", {config.hidden_size});
  if (!config.tie_word_embeddings) plan.add("lm_head", types.head, {config.vocab_size, config.hidden_size});
  return plan.take();
}

Status write_synthetic(const fs::path& path, const SynthOptions& options, const SynthVocabulary& vocabulary) {
  const bool is_folder = options.format == CheckpointFormat::kSafetensors;
  std::error_code error;
  if (fs::exists(fs::symlink_status(path, error)))
    return Error{ErrorKind::kInvalid, path.string(), "a path that does not exist yet", "an existing one", ""};
  if (is_folder && dtype_info(options.types.most).is_quantized)
    return Error{ErrorKind::kUnsupported, "type", "a type of safetensors: f32, f16, bf16",
                 std::string(dtype_info(options.types.most).name), ""};
  const std::vector<PlannedTensor> tensors = plan_synthetic(options);
  RandomWeights weights(options, tensors);
  const TensorSource source = [&](size_t index, const TensorSink& sink) { return weights.give(index, sink); };
  if (!is_folder) {
    GgufWriter writer;
    add_metadata(writer, options, vocabulary);
    for (const auto& tensor : tensors) writer.add_tensor(tensor);
    return writer.write(path, source);
  }
  if (!fs::create_directory(path, error))
    return Error{ErrorKind::kIo, path.string(), "", "cannot create the folder: " + error.message(), ""};
  const Status written = write_folder(path, options, vocabulary, tensors, source);
  if (!written.ok()) fs::remove_all(path, error);  // it was not there before
  return written;
}

}  // namespace ink
