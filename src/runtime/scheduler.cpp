// See runtime/scheduler.h. A step runs without the lock: meanwhile other callers may open, close and change
// sequences of their own, none of which is in the step.
#include "runtime/scheduler.h"

#include <algorithm>
#include <string>

#include "kernels/cpu_ops.h"

namespace ink {
namespace {

// How long a step that others wait for may be made by the prompts in it, about: the rhythm at which text
// still seems to flow.
constexpr double kPromptSeconds = 0.12;
constexpr int64_t kLeastPromptTokens = 16;
constexpr size_t kManyTokens = 32;
// A step waits for answers that are between two tokens at most this part of a step, and no longer than that.
constexpr double kWaitShare = 0.25;
constexpr double kWaitSeconds = 0.005;
// How often a caller that waits for a place looks whether it has been cancelled.
constexpr auto kLookForCancel = std::chrono::milliseconds(20);

bool is_set(const std::atomic<bool>* flag) {
  return flag != nullptr && flag->load(std::memory_order_relaxed);
}

Error cancelled_error() { return {ErrorKind::kCancelled, "generation", "", "cancelled", ""}; }

}  // namespace

// One caller of forward that waits.
struct Scheduler::Call {
  std::span<const Feed> feeds;
  const OnLogits& on_logits;
  int64_t chunk = 0;
  std::vector<int64_t> fed;
  bool stopped = false;  // on_logits said so
  bool cancelled = false;
  bool done = false;
};

// One caller of open_sequence that waits.
struct Scheduler::Applicant {
  Priority priority;
};

Result<std::unique_ptr<Scheduler>> Scheduler::create(std::shared_ptr<const Engine> engine,
                                                     LinearObserver observer) {
  std::unique_ptr<Scheduler> scheduler(new Scheduler());
  const EngineOptions& options = engine->options();
  const ModelConfig& config = engine->config();
  auto cache = KvCache::create(config, options.cache_type, options.cache_tokens, options.max_sequences);
  if (!cache.ok()) return cache.error();
  scheduler->cache_ = std::make_unique<KvCache>(std::move(*cache));
  scheduler->sequences_.resize(static_cast<size_t>(options.max_sequences));
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

Scheduler::~Scheduler() = default;

Result<int> Scheduler::open_sequence(const SequenceOptions& options) {
  Lock lock(mutex_);
  const int64_t context = engine_->options().context_tokens;
  const int64_t tokens = options.tokens > 0 ? std::min(options.tokens, context) : context;
  int sequence = -1;
  if (options.wait) {
    auto place = wait_for_place(options, tokens, lock);
    if (!place.ok()) return place.error();
    sequence = *place;
  } else {
    sequence = cache_->open(tokens);
  }
  if (sequence < 0) {
    return Error{ErrorKind::kTooLarge, "sequences",
                 "at most " + std::to_string(engine_->options().max_sequences) + " with " +
                     std::to_string(engine_->options().cache_tokens) + " tokens",
                 "one more of " + std::to_string(tokens) + " tokens", "open the engine with more sequences"};
  }
  sequences_[static_cast<size_t>(sequence)] = {options.priority, options.cancelled, false, false};
  return sequence;
}

Result<int> Scheduler::wait_for_place(const SequenceOptions& options, int64_t tokens, Lock& lock) {
  const auto after = std::find_if(applicants_.begin(), applicants_.end(),
                                  [&](const Applicant& other) { return other.priority < options.priority; });
  const auto self = applicants_.insert(after, {options.priority});
  int sequence = -1;
  while (!is_set(options.cancelled)) {
    if (self == applicants_.begin()) sequence = cache_->open(tokens);
    if (sequence >= 0) break;
    vacated_.wait_for(lock, kLookForCancel);
  }
  applicants_.erase(self);
  vacated_.notify_all();  // the next one may fit, too
  if (sequence < 0) return cancelled_error();
  return sequence;
}

void Scheduler::close_sequence(int sequence) {
  const std::lock_guard lock(mutex_);
  cache_->close(sequence);
  sequences_[static_cast<size_t>(sequence)] = {};
  vacated_.notify_all();
}

int64_t Scheduler::length(int sequence) const {
  const std::lock_guard lock(mutex_);
  return cache_->length(sequence);
}

int64_t Scheduler::capacity(int sequence) const {
  const std::lock_guard lock(mutex_);
  return std::min(cache_->capacity(sequence), engine_->options().context_tokens);
}

void Scheduler::truncate(int sequence, int64_t tokens) {
  const std::lock_guard lock(mutex_);
  cache_->truncate(sequence, tokens);
}

int64_t Scheduler::reuse(int sequence, std::span<const int32_t> prompt) {
  const std::lock_guard lock(mutex_);
  return cache_->reuse(sequence, prompt);
}

void Scheduler::share(int sequence) {
  const std::lock_guard lock(mutex_);
  cache_->share(sequence);
}

CacheDivergence Scheduler::explain(std::span<const int32_t> prompt) const {
  const std::lock_guard lock(mutex_);
  return cache_->explain(prompt);
}

void Scheduler::begin_answer(int sequence) {
  const std::lock_guard lock(mutex_);
  sequences_[static_cast<size_t>(sequence)].answering = true;
}

void Scheduler::end_answer(int sequence) {
  const std::lock_guard lock(mutex_);
  sequences_[static_cast<size_t>(sequence)].answering = false;
  arrived_.notify_all();  // nobody has to wait for it any more
}

SchedulerUsage Scheduler::usage() const {
  const std::lock_guard lock(mutex_);
  return {cache_->open_count(), static_cast<int>(applicants_.size()), cache_->usage(), steps_, tokens_};
}

Status Scheduler::check(std::span<const Feed> feeds) const {
  for (const Feed& feed : feeds) {
    if (feed.output == ModelOutput::kLogits && !engine_->model().gives_logits()) {
      return Error{ErrorKind::kUnsupported, engine_->checkpoint().name(), "a model that writes text",
                   "one for embeddings or ranking, without a head for tokens", ""};
    }
    const int64_t wanted = cache_->length(feed.sequence) + static_cast<int64_t>(feed.tokens.size());
    const int64_t most = std::min(cache_->capacity(feed.sequence), engine_->options().context_tokens);
    if (wanted > most) {
      return Error{ErrorKind::kTooLarge, "context", "at most " + std::to_string(most) + " tokens",
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
  Lock lock(mutex_);
  const Status checked = check(feeds);
  if (!checked.ok()) return checked;
  Call call{feeds, on_logits, chunk, std::vector<int64_t>(feeds.size(), 0)};
  for (const Feed& feed : feeds) sequences_[static_cast<size_t>(feed.sequence)].feeding = true;
  calls_.push_back(&call);
  arrived_.notify_all();
  while (!call.done) {
    if (stepping_) {
      finished_.wait(lock);
    } else {
      stepping_ = true;
      run_step(lock);
      stepping_ = false;
      finished_.notify_all();
    }
  }
  return call.cancelled ? Status(cancelled_error()) : Status(Done{});
}

void Scheduler::run_step(Lock& lock) {
  wait_for_answers(lock);
  drop_cancelled();
  std::vector<std::pair<Call*, size_t>> owners;
  const std::vector<PendingFeed> pending = pending_feeds(owners);
  const Step step = form_step(pending, limits());
  for (size_t i = 0; i < pending.size(); ++i) {
    const auto [call, feed] = owners[i];
    const auto taken = static_cast<size_t>(step.taken[i]);
    cache_->extend(call->feeds[feed].sequence,
                   call->feeds[feed].tokens.subspan(static_cast<size_t>(call->fed[feed]), taken));
    call->fed[feed] += step.taken[i];
  }
  if (!step.tokens.empty()) {
    // Text advances positions and cache slots together.
    const Batch batch{step.tokens,    step.positions,   step.sequences,
                      step.positions, step.output_rows, cache_->view()};
    lock.unlock();
    const auto start = Clock::now();
    {
      const auto scratch = ops_->scope();
      const Tensor rows = engine_->model().forward(*ops_, batch, step.output);
      for (size_t row = 0; row < step.outputs.size(); ++row) {
        const auto [call, feed] = owners[step.outputs[row].pending];
        const std::span<float> values(rows.row(static_cast<int64_t>(row)), static_cast<size_t>(rows.cols));
        if (!call->stopped) call->stopped = !call->on_logits(feed, step.outputs[row].token, values);
      }
    }
    lock.lock();
    step_ended_ = Clock::now();
    step_seconds_ = std::chrono::duration<double>(step_ended_ - start).count();
    if (step.tokens.size() >= kManyTokens)
      prompt_speed_ = static_cast<double>(step.tokens.size()) / std::max(step_seconds_, 1e-6);
    ++steps_;
    tokens_ += step.tokens.size();
  }
  finish_calls();
}

// Answers come back within microseconds of a step's end, but not all at once.
void Scheduler::wait_for_answers(Lock& lock) {
  const auto all_are_here = [&] {
    return std::none_of(sequences_.begin(), sequences_.end(),
                        [](const SequenceState& state) { return state.answering && !state.feeding; });
  };
  const std::chrono::duration<double> patience(std::min(step_seconds_ * kWaitShare, kWaitSeconds));
  arrived_.wait_until(lock, step_ended_ + std::chrono::duration_cast<Clock::duration>(patience),
                      all_are_here);
}

void Scheduler::drop_cancelled() {
  for (Call* call : calls_) {
    for (const Feed& feed : call->feeds) {
      if (is_set(sequences_[static_cast<size_t>(feed.sequence)].cancelled)) call->cancelled = true;
    }
  }
  finish_calls();
}

std::vector<PendingFeed> Scheduler::pending_feeds(std::vector<std::pair<Call*, size_t>>& owners) const {
  std::vector<PendingFeed> pending;
  for (Call* call : calls_) {
    for (size_t i = 0; i < call->feeds.size(); ++i) {
      const Feed& feed = call->feeds[i];
      if (call->fed[i] == static_cast<int64_t>(feed.tokens.size())) continue;
      const int64_t most = call->chunk > 0 ? call->chunk : engine_->options().batch_tokens;
      pending.push_back({&feed, call->fed[i], most, cache_->length(feed.sequence),
                         sequences_[static_cast<size_t>(feed.sequence)].priority});
      owners.emplace_back(call, i);
    }
  }
  return pending;
}

StepLimits Scheduler::limits() const {
  StepLimits limits;
  limits.batch_tokens = engine_->options().batch_tokens;
  limits.output_rows = kMaxOutputRows;
  limits.prompt_tokens = std::max(kLeastPromptTokens, static_cast<int64_t>(prompt_speed_ * kPromptSeconds));
  limits.others_are_answering =
      std::any_of(sequences_.begin(), sequences_.end(),
                  [](const SequenceState& state) { return state.answering && !state.feeding; });
  return limits;
}

void Scheduler::finish_calls() {
  std::erase_if(calls_, [&](Call* call) {
    bool all_fed = true;
    for (size_t i = 0; i < call->feeds.size(); ++i)
      all_fed = all_fed && call->fed[i] == static_cast<int64_t>(call->feeds[i].tokens.size());
    call->done = all_fed || call->stopped || call->cancelled;
    if (!call->done) return false;
    for (const Feed& feed : call->feeds) sequences_[static_cast<size_t>(feed.sequence)].feeding = false;
    return true;
  });
  finished_.notify_all();
}

}  // namespace ink
