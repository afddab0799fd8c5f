// An opened model: weights, tokenizer, chat format, defaults. Immutable after open and shareable between
// threads; what changes while text is generated belongs to the Scheduler (memory, steps) and the Session (one
// timeline).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "kernels/kernel_table.h"
#include "models/qwen3.h"
#include "runtime/model_files.h"
#include "tensor/checkpoint.h"
#include "text/chat.h"
#include "text/tokenizer.h"

namespace ink {

// Rows of logits that one step may ask for: 128 rows of a 151,936 vocabulary are 78 MB of scratch.
inline constexpr int64_t kMaxOutputRows = 128;

struct EngineOptions {
  int threads = 0;             // 0: as many as the process may use
  int64_t context_tokens = 0;  // 0: the model's own limit, at most 4096
  int64_t batch_tokens = 512;  // the most tokens one step takes
  int max_sequences = 1;       // that are computed at the same time
  // Tokens whose keys and values are kept, by all sequences together and, where there is place, after them
  // for prompts that begin alike; at least a context. 0: a context for each sequence.
  int64_t cache_tokens = 0;
  KvType cache_type = KvType::kInt16;
  std::string kernels;  // a kernel table by name; empty: INKSTONE_CPU, else the best this processor has
  Arithmetic arithmetic = Arithmetic::kFast;
  std::filesystem::path pack_cache;      // the folder of packed models (runtime/pack_cache.h); empty: none
  std::function<void(double)> progress;  // 0 … 1 while loading
};

// What a model will need, known before its weights are loaded.
struct MemoryNeeds {
  uint64_t weights_bytes = 0;
  uint64_t cache_bytes = 0;  // keys and values: EngineOptions::cache_tokens
  uint64_t scratch_bytes = 0;
  uint64_t total() const { return weights_bytes + cache_bytes + scratch_bytes; }
};

class Engine {
 public:
  // Errors: everything a damaged, unsupported or too large model can be; see the readers. A model that does
  // not fit into memory is refused before it is loaded, with the numbers.
  static Result<std::shared_ptr<const Engine>> open(Checkpoint checkpoint, EngineOptions options);

  const EngineOptions& options() const { return options_; }  // with 0s and empty names resolved
  const Checkpoint& checkpoint() const { return checkpoint_; }
  const ModelConfig& config() const { return model_->config(); }
  const Qwen3Model& model() const { return *model_; }
  const KernelTable& kernels() const { return *kernels_; }
  ThreadPool& threads() const { return *threads_; }

  // Null when the checkpoint has no tokenizer (some golden models); then only token ids can be used.
  const Tokenizer* tokenizer() const { return tokenizer_ ? &*tokenizer_ : nullptr; }
  DetectedFormat chat_format() const { return chat_format_; }
  const GenerationDefaults& defaults() const { return defaults_; }
  const MemoryNeeds& memory() const { return memory_; }

 private:
  explicit Engine(Checkpoint checkpoint) : checkpoint_(std::move(checkpoint)) {}
  Checkpoint checkpoint_;
  EngineOptions options_;
  const KernelTable* kernels_ = nullptr;
  std::unique_ptr<ThreadPool> threads_;
  std::unique_ptr<Qwen3Model> model_;
  std::optional<Tokenizer> tokenizer_;
  DetectedFormat chat_format_;
  GenerationDefaults defaults_;
  MemoryNeeds memory_;
};

// The element types by their share of the bytes, largest first: "Q4_K 71 %, Q6_K 28 %, F32 1 %".
std::string describe_types(const Checkpoint& checkpoint);

// What `show` tells about a model without loading its weights.
struct ModelSummary {
  ModelConfig config;
  std::string name;       // general.name or the folder's name
  std::string license;    // empty when the files do not say
  std::string file_type;  // describe_types
  uint64_t parameters = 0;
  uint64_t file_bytes = 0;
  int64_t context_tokens = 0;  // that the memory is stated for
  MemoryNeeds memory;
  bool has_tokenizer = false;
  DetectedFormat chat_format;
  GenerationDefaults defaults;
};
Result<ModelSummary> summarize(const Checkpoint& checkpoint, const EngineOptions& options);

}  // namespace ink
