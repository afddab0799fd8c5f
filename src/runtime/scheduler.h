// Runs steps for everybody: takes the tokens that callers want to feed, from as many threads as there are
// answers being written, forms batches of them (runtime/step.h), gives every token a place in the paged cache
// and runs the model. There is no thread of its own: one of the callers that wait runs the step for all.
//
// All memory is granted when the scheduler is made, and a sequence's share of it when the sequence is opened.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"
#include "kernels/observed_ops.h"
#include "runtime/engine.h"
#include "runtime/kv_cache.h"
#include "runtime/step.h"

namespace ink {

// What a sequence asks for.
struct SequenceOptions {
  int64_t tokens = 0;  // it will hold at most; 0: the whole context
  Priority priority = Priority::kChat;
  // Waits until there is a place and room for its tokens, those of a higher priority first; else there has to
  // be one at once.
  bool wait = false;
  // Ends waiting and feeding of this sequence with kCancelled. May be null; outlives the sequence.
  const std::atomic<bool>* cancelled = nullptr;
};

struct SchedulerUsage {
  int sequences = 0;  // open
  int waiting = 0;    // for a place
  KvCache::Usage cache;
  uint64_t steps = 0;
  uint64_t tokens = 0;  // that went through the model
};

class Scheduler {
 public:
  // observer: sees every projection of every step. Errors: kTooLarge (memory).
  static Result<std::unique_ptr<Scheduler>> create(std::shared_ptr<const Engine> engine,
                                                   LinearObserver observer = nullptr);
  ~Scheduler();

  const Engine& engine() const { return *engine_; }

  // A sequence of its own, empty. Errors: kTooLarge when there is no place, or, waiting, when there can never
  // be one; kCancelled.
  Result<int> open_sequence(const SequenceOptions& options = {});
  void close_sequence(int sequence);
  int64_t length(int sequence) const;           // tokens in its cache
  int64_t capacity(int sequence) const;         // that it may hold
  void truncate(int sequence, int64_t tokens);  // keeps the first `tokens`

  // As KvCache's: takes over what is kept of this prompt, and returns how many of its tokens need not be fed;
  // keeps what this sequence has computed for others.
  int64_t reuse(int sequence, std::span<const int32_t> prompt);
  void share(int sequence);
  CacheDivergence explain(std::span<const int32_t> prompt) const;

  // Between these two the sequence feeds again and again, and a step waits a little for it, so that answers
  // which are written at the same time share their steps.
  void begin_answer(int sequence);
  void end_answer(int sequence);

  // Feeds all of them; long ones in pieces. `chunk` (0: batch_tokens) limits the piece taken from one feed at
  // once. `on_logits(feed index, token index within the feed, logits [vocab], or the hidden state
  // [hidden_size] where the feed wants that)` is called for each wanted row, in order of tokens for each
  // feed, while this call waits, perhaps on another thread; the logits may be changed and are gone after the
  // call. A false return stops early. Errors: kTooLarge when a sequence would outgrow its capacity, kInvalid
  // for ids outside the vocabulary; nothing is fed then. kCancelled: some may have been fed.
  using OnLogits = std::function<bool(size_t feed, int64_t token, std::span<float> logits)>;
  Status forward(std::span<const Feed> feeds, const OnLogits& on_logits, int64_t chunk = 0);

  SchedulerUsage usage() const;

 private:
  using Clock = std::chrono::steady_clock;
  using Lock = std::unique_lock<std::mutex>;
  struct Call;
  struct Applicant;
  struct SequenceState {
    Priority priority = Priority::kChat;
    const std::atomic<bool>* cancelled = nullptr;
    bool answering = false;
    bool feeding = false;
  };

  Scheduler() = default;
  Status check(std::span<const Feed> feeds) const;  // that everything fits, before anything is fed
  Result<int> wait_for_place(const SequenceOptions& options, int64_t tokens, Lock& lock);
  void run_step(Lock& lock);
  void wait_for_answers(Lock& lock);
  void drop_cancelled();
  std::vector<PendingFeed> pending_feeds(std::vector<std::pair<Call*, size_t>>& owners) const;
  StepLimits limits() const;
  void finish_calls();

  mutable std::mutex mutex_;
  std::condition_variable arrived_;   // a call: the step that is being formed may take it along
  std::condition_variable finished_;  // a call, or a step: somebody else may run the next one
  std::condition_variable vacated_;   // a sequence
  std::shared_ptr<const Engine> engine_;
  std::unique_ptr<Ops> ops_;
  std::unique_ptr<KvCache> cache_;
  std::vector<SequenceState> sequences_;
  std::vector<Call*> calls_;         // in the order of arrival
  std::list<Applicant> applicants_;  // in the order of their turn
  bool stepping_ = false;
  Clock::time_point step_ended_;
  double step_seconds_ = 0;  // the last one took
  double prompt_speed_ = 0;  // tokens per second of steps with many
  uint64_t steps_ = 0;
  uint64_t tokens_ = 0;
};

}  // namespace ink
