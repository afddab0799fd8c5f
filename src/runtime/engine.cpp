// See runtime/engine.h.
#include "runtime/engine.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/memory.h"
#include "runtime/kv_cache.h"
#include "runtime/pack_cache.h"

namespace ink {
namespace {

constexpr int64_t kDefaultContextTokens = 4096;
constexpr int64_t kMaxBatchTokens = 16384;
constexpr int64_t kMaxCacheTokens = int64_t{1} << 26;  // page numbers stay far from 32 bits

// Fills in what the caller left open and refuses what cannot be.
Status resolve(EngineOptions& options, const ModelConfig& config) {
  if (options.threads == 0) options.threads = available_threads();
  if (options.context_tokens == 0) {
    options.context_tokens = std::min(kDefaultContextTokens, config.max_position_embeddings);
  }
  const auto refuse = [](const char* what, const std::string& wanted, int64_t got) {
    return Error{ErrorKind::kInvalid, what, wanted, std::to_string(got), ""};
  };
  if (options.threads < 1 || options.threads > 1024) return refuse("threads", "1 to 1024", options.threads);
  if (options.context_tokens < 1 || options.context_tokens > config.max_position_embeddings) {
    return refuse("context size",
                  "1 to " + std::to_string(config.max_position_embeddings) + " (the model's limit)",
                  options.context_tokens);
  }
  if (options.batch_tokens < 1 || options.batch_tokens > kMaxBatchTokens) {
    return refuse("batch size", "1 to " + std::to_string(kMaxBatchTokens), options.batch_tokens);
  }
  if (options.max_sequences < 1 || options.max_sequences > 1024) {
    return refuse("sequences", "1 to 1024", options.max_sequences);
  }
  if (options.cache_tokens == 0) {
    const int64_t pages = (options.context_tokens + kKvPageTokens - 1) / kKvPageTokens;
    options.cache_tokens = std::min(pages * kKvPageTokens * options.max_sequences, kMaxCacheTokens);
  }
  if (options.cache_tokens < options.context_tokens || options.cache_tokens > kMaxCacheTokens) {
    return refuse("cache size",
                  std::to_string(options.context_tokens) + " (the context) to " +
                      std::to_string(kMaxCacheTokens) + " tokens",
                  options.cache_tokens);
  }
  return Done{};
}

Result<const KernelTable*> choose_kernels(const EngineOptions& options) {
  const KernelTables& tables = available_kernel_tables();
  const char* environment = std::getenv("INKSTONE_CPU");
  std::string name = options.kernels;
  if (name.empty() && environment != nullptr) name = environment;
  if (name.empty()) return tables.table[tables.count - 1];
  if (const KernelTable* table = find_kernel_table(name.c_str())) return table;
  std::string names;
  for (int i = 0; i < tables.count; ++i) names += (i == 0 ? "" : ", ") + std::string(tables.table[i]->name);
  return Error{ErrorKind::kUnsupported, "INKSTONE_CPU", "one of the kernels this processor has: " + names,
               name, ""};
}

MemoryNeeds estimate(const PlannedWeights& weights, const ModelConfig& config, const EngineOptions& options) {
  MemoryNeeds needs;
  needs.weights_bytes = weights.packed_bytes;
  needs.cache_bytes = KvCache::size_bytes(config, options.cache_type, options.cache_tokens);
  needs.scratch_bytes =
      Qwen3Model::scratch_bytes(config, options.batch_tokens, std::min(kMaxOutputRows, options.batch_tokens));
  return needs;
}

Status admit(const Checkpoint& checkpoint, const MemoryNeeds& needs) {
  const uint64_t available = available_memory_bytes();
  if (needs.total() <= available) return Done{};
  return Error{ErrorKind::kTooLarge, checkpoint.name(),
               "at most " + megabytes_text(available) + " of memory (available now)",
               megabytes_text(needs.total()) + ": weights " + megabytes_text(needs.weights_bytes) +
                   ", cache " + megabytes_text(needs.cache_bytes) + ", scratch " +
                   megabytes_text(needs.scratch_bytes),
               "a smaller --ctx-size or a smaller quantization needs less"};
}

// Where the packed form of this model is, or may be written.
std::optional<PackedPlace> find_packed(const Checkpoint& checkpoint, const EngineOptions& options,
                                       uint64_t weights_bytes) {
  auto place = pack_cache_place(options.pack_cache, checkpoint, options.arithmetic, weights_bytes);
  if (!place) return place;
  std::error_code ignored;
  if (std::filesystem::exists(place->path, ignored)) touch_packed_file(place->path);
  place->make_room = [folder = options.pack_cache, path = place->path](uint64_t bytes) {
    std::error_code nothing_there;
    std::filesystem::remove(path, nothing_there);  // what is there is of no use
    return make_room_in_pack_cache(folder, bytes);
  };
  return place;
}

}  // namespace

std::string describe_types(const Checkpoint& checkpoint) {
  std::map<std::string_view, uint64_t> bytes;
  uint64_t total = 1;
  for (const FileTensor& tensor : checkpoint.tensors()) {
    bytes[dtype_info(tensor.dtype).name] += tensor.bytes.size();
    total += tensor.bytes.size();
  }
  std::vector<std::pair<uint64_t, std::string_view>> order;
  for (const auto& [name, size] : bytes) order.emplace_back(size, name);
  std::sort(order.rbegin(), order.rend());
  std::string text;
  for (const auto& [size, name] : order) {
    text += (text.empty() ? "" : ", ") + std::string(name) + " " +
            std::to_string((size * 100 + total / 2) / total) + " %";
  }
  return text;
}

Result<std::shared_ptr<const Engine>> Engine::open(Checkpoint checkpoint, EngineOptions options) {
  auto config = read_config(checkpoint);
  if (!config.ok()) return config.error();
  const Status resolved = resolve(options, *config);
  if (!resolved.ok()) return resolved.error();
  auto kernels = choose_kernels(options);
  if (!kernels.ok()) return kernels.error();
  const MemoryNeeds needs =
      estimate(Qwen3Model::plan_weights(checkpoint, *config, options.arithmetic), *config, options);
  const Status admitted = admit(checkpoint, needs);
  if (!admitted.ok()) return admitted.error();

  std::shared_ptr<Engine> engine(new Engine(std::move(checkpoint)));
  auto tokenizer = read_tokenizer(engine->checkpoint_);
  if (tokenizer.ok()) {
    engine->tokenizer_ = std::move(*tokenizer);
  } else if (tokenizer.error().kind != ErrorKind::kNotFound) {
    return tokenizer.error();
  }
  engine->chat_format_ = read_chat_format(engine->checkpoint_);
  engine->defaults_ = read_generation_defaults(engine->checkpoint_, engine->tokenizer());
  engine->kernels_ = *kernels;
  engine->threads_ = std::make_unique<ThreadPool>(options.threads);
  auto packed = find_packed(engine->checkpoint_, options, needs.weights_bytes);
  auto model = Qwen3Model::load(engine->checkpoint_, *config, options.arithmetic, *engine->threads_,
                                options.progress, packed ? &*packed : nullptr);
  if (!model.ok()) return model.error();
  engine->model_ = std::move(*model);
  options.kernels = engine->kernels_->name;
  engine->options_ = std::move(options);
  engine->memory_ = needs;
  return std::shared_ptr<const Engine>(std::move(engine));
}

Result<ModelSummary> summarize(const Checkpoint& checkpoint, const EngineOptions& asked) {
  auto config = read_config(checkpoint);
  if (!config.ok()) return config.error();
  EngineOptions options = asked;
  const Status resolved = resolve(options, *config);
  if (!resolved.ok()) return resolved.error();
  ModelSummary summary;
  summary.name = std::string(checkpoint.meta_string("general.name").value_or(checkpoint.name()));
  summary.license = read_license(checkpoint);
  const std::string& quantization = config->quantization.text;
  summary.file_type = quantization.empty() ? describe_types(checkpoint) : quantization;
  const PlannedWeights weights = Qwen3Model::plan_weights(checkpoint, *config, options.arithmetic);
  summary.parameters = weights.parameters;
  summary.file_bytes = checkpoint.size_bytes();
  summary.context_tokens = options.context_tokens;
  summary.memory = estimate(weights, *config, options);
  const auto tokenizer = read_tokenizer(checkpoint);
  summary.has_tokenizer = tokenizer.ok();
  summary.chat_format = read_chat_format(checkpoint);
  summary.defaults = read_generation_defaults(checkpoint, tokenizer.ok() ? &*tokenizer : nullptr);
  summary.config = std::move(*config);
  return summary;
}

}  // namespace ink
