// Runs steps: takes the tokens that sequences want to feed, forms batches of at most batch_tokens, gives
// every token a place in the paged cache and runs the model. All memory is granted when the scheduler is
// made. Several threads may call it; steps run one after the other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"
#include "kernels/observed_ops.h"
#include "runtime/engine.h"
#include "runtime/kv_cache.h"

namespace ink {

// Who is served first when several wait.
enum class Priority { kBackground, kChat, kVoice };

// Tokens one sequence appends to its cache in a step.
struct Feed {
  int sequence = 0;
  std::span<const int32_t> tokens;  // not empty
  bool all_logits = false;          // logits after every token (perplexity), or only after the last
  ModelOutput output = ModelOutput::kLogits;
};

class Scheduler {
 public:
  // observer: sees every projection of every step. Errors: kTooLarge (memory).
  static Result<std::unique_ptr<Scheduler>> create(std::shared_ptr<const Engine> engine,
                                                   LinearObserver observer = nullptr);

  const Engine& engine() const { return *engine_; }

  // A sequence of its own, empty. Errors: kTooLarge when max_sequences are in use.
  Result<int> open_sequence();
  void close_sequence(int sequence);
  int64_t length(int sequence) const;           // tokens in its cache
  void truncate(int sequence, int64_t tokens);  // keeps the first `tokens`

  // Feeds all of them; long ones in pieces. `chunk` (0: batch_tokens) limits the piece taken from one feed at
  // once. `on_logits(feed index, token index within the feed, logits [vocab], or the hidden state
  // [hidden_size] where the feed wants that)` is called for each wanted row,
  // in order of tokens for each feed; the logits may be changed and are gone after the call. A false return
  // stops early. Errors: kTooLarge when a sequence would outgrow the context; nothing is fed then.
  using OnLogits = std::function<bool(size_t feed, int64_t token, std::span<float> logits)>;
  Status forward(std::span<const Feed> feeds, const OnLogits& on_logits, int64_t chunk = 0);

 private:
  Scheduler() = default;
  Status check(std::span<const Feed> feeds) const;  // that everything fits, before anything is fed
  mutable std::mutex mutex_;
  std::shared_ptr<const Engine> engine_;
  std::unique_ptr<Ops> ops_;
  std::unique_ptr<KvCache> cache_;
};

}  // namespace ink
