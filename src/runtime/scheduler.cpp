// See runtime/scheduler.h.
#include "runtime/scheduler.h"

#include <algorithm>
#include <optional>
#include <string>

#include "kernels/cpu_ops.h"

namespace ink {
namespace {

// The tokens of one step and where each came from.
struct StepTokens {
  std::vector<int32_t> tokens;
  std::vector<int32_t> positions;
  std::vector<int32_t> sequences;
  std::vector<int32_t> output_rows;
  struct Source {
    size_t feed;
    int64_t token;
  };
  std::vector<Source> outputs;  // for each output row

  bool has_room(int64_t batch_tokens) const {
    return static_cast<int64_t>(tokens.size()) < batch_tokens &&
           static_cast<int64_t>(output_rows.size()) < kMaxOutputRows;
  }
};

// Moves tokens of a feed into the step, as many as fit; returns how many.
int64_t take(const Feed& feed, size_t index, int64_t fed, int64_t at_most, int64_t first_position,
             int64_t batch_tokens, StepTokens& step) {
  const auto length = static_cast<int64_t>(feed.tokens.size());
  int64_t taken = 0;
  while (taken < at_most && fed + taken < length && step.has_room(batch_tokens)) {
    const int64_t token = fed + taken;
    if (feed.all_logits || token + 1 == length) {
      step.output_rows.push_back(static_cast<int32_t>(step.tokens.size()));
      step.outputs.push_back({index, token});
    }
    step.tokens.push_back(feed.tokens[static_cast<size_t>(token)]);
    step.positions.push_back(static_cast<int32_t>(first_position + taken));
    step.sequences.push_back(feed.sequence);
    ++taken;
  }
  return taken;
}

}  // namespace

Result<std::unique_ptr<Scheduler>> Scheduler::create(std::shared_ptr<const Engine> engine,
                                                     LinearObserver observer) {
  std::unique_ptr<Scheduler> scheduler(new Scheduler());
  const EngineOptions& options = engine->options();
  const ModelConfig& config = engine->config();
  auto cache = KvCache::create(config, options.cache_type, options.context_tokens, options.max_sequences);
  if (!cache.ok()) return cache.error();
  scheduler->cache_ = std::make_unique<KvCache>(std::move(*cache));
  const int64_t outputs = std::min(kMaxOutputRows, options.batch_tokens);
  auto ops = CpuOps::create(
      engine->kernels(), engine->threads(), Qwen3Model::scratch_bytes(config, options.batch_tokens, outputs),
      options.context_tokens, config.num_attention_heads / config.num_key_value_heads, config.head_dim);
  if (!ops.ok()) return ops.error();
  scheduler->ops_ = std::move(*ops);
  if (observer)
    scheduler->ops_ = std::make_unique<ObservedOps>(std::move(scheduler->ops_), std::move(observer));
  scheduler->engine_ = std::move(engine);
  return scheduler;
}

Result<int> Scheduler::open_sequence() {
  const std::lock_guard lock(mutex_);
  const int sequence = cache_->open();
  if (sequence < 0) {
    return Error{ErrorKind::kTooLarge, "sequences",
                 "at most " + std::to_string(engine_->options().max_sequences), "one more",
                 "open the engine with more sequences"};
  }
  return sequence;
}

void Scheduler::close_sequence(int sequence) {
  const std::lock_guard lock(mutex_);
  cache_->close(sequence);
}

int64_t Scheduler::length(int sequence) const {
  const std::lock_guard lock(mutex_);
  return cache_->length(sequence);
}

void Scheduler::truncate(int sequence, int64_t tokens) {
  const std::lock_guard lock(mutex_);
  cache_->truncate(sequence, tokens);
}

Status Scheduler::check(std::span<const Feed> feeds) const {
  for (const Feed& feed : feeds) {
    if (feed.output == ModelOutput::kLogits && !engine_->model().gives_logits()) {
      return Error{ErrorKind::kUnsupported, engine_->checkpoint().name(), "a model that writes text",
                   "one for embeddings or ranking, without a head for tokens", ""};
    }
    const int64_t wanted = cache_->length(feed.sequence) + static_cast<int64_t>(feed.tokens.size());
    if (wanted > engine_->options().context_tokens) {
      return Error{ErrorKind::kTooLarge, "context",
                   "at most " + std::to_string(engine_->options().context_tokens) + " tokens",
                   std::to_string(wanted), "a larger --ctx-size holds more"};
    }
    for (const int32_t id : feed.tokens) {
      if (id < 0 || id >= engine_->config().vocab_size) {
        return Error{ErrorKind::kInvalid, "token id",
                     "0 to " + std::to_string(engine_->config().vocab_size - 1), std::to_string(id),
                     "the tokenizer does not belong to this model"};
      }
    }
  }
  return Done{};
}

Status Scheduler::forward(std::span<const Feed> feeds, const OnLogits& on_logits, int64_t chunk) {
  const std::lock_guard lock(mutex_);
  const Status checked = check(feeds);
  if (!checked.ok()) return checked;
  const int64_t batch_tokens = engine_->options().batch_tokens;
  std::vector<int64_t> fed(feeds.size(), 0);
  for (;;) {
    StepTokens step;
    std::optional<ModelOutput> output;  // one kind for all of a step
    for (size_t i = 0; i < feeds.size(); ++i) {
      if (fed[i] == static_cast<int64_t>(feeds[i].tokens.size())) continue;
      if (output.value_or(feeds[i].output) != feeds[i].output) continue;
      output = feeds[i].output;
      const int64_t length = cache_->length(feeds[i].sequence);
      const int64_t taken =
          take(feeds[i], i, fed[i], chunk > 0 ? chunk : batch_tokens, length, batch_tokens, step);
      cache_->extend(feeds[i].sequence, taken);
      fed[i] += taken;
    }
    if (step.tokens.empty()) return Done{};
    const auto scratch = ops_->scope();
    // Text advances positions and cache slots together.
    const Batch batch{step.tokens,    step.positions,   step.sequences,
                      step.positions, step.output_rows, cache_->view()};
    const Tensor rows = engine_->model().forward(*ops_, batch, *output);
    for (size_t row = 0; row < step.outputs.size(); ++row) {
      const std::span<float> values(rows.row(static_cast<int64_t>(row)), static_cast<size_t>(rows.cols));
      if (!on_logits(step.outputs[row].feed, step.outputs[row].token, values)) return Done{};
    }
  }
}

}  // namespace ink
