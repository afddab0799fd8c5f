// check_consistency of runtime/verify.h: the first law (same answer, always) on the model at hand. A run is
// described by its ids and by a hash of every logit row, so that nothing large is kept and nothing is
// compared with a tolerance.
#include <bit>
#include <random>

#include "runtime/scheduler.h"
#include "runtime/verify.h"

namespace ink {
namespace {

constexpr size_t kPromptTokens = 40;
constexpr size_t kAnswerTokens = 8;

struct Trace {
  std::vector<int32_t> ids;
  std::vector<uint64_t> logits;  // one hash per step
  bool operator==(const Trace&) const = default;
};

uint64_t hash_row(std::span<const float> logits) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a over 32-bit words
  for (const float logit : logits) hash = (hash ^ std::bit_cast<uint32_t>(logit)) * 1099511628211u;
  return hash;
}

std::vector<int32_t> random_prompt(int64_t vocab_size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<int32_t> ids(kPromptTokens);
  for (int32_t& id : ids) id = static_cast<int32_t>(random() % static_cast<uint64_t>(vocab_size));
  return ids;
}

struct Run {
  int64_t chunk = 0;       // pieces of the prompt
  bool companion = false;  // another sequence in every step
  size_t reused = 0;       // tokens of the prompt that are in the cache from an earlier run
};

class Runner {
 public:
  Runner(Scheduler& scheduler, int64_t vocab_size)
      : scheduler_(scheduler), prompt_(random_prompt(vocab_size, 1)), other_(random_prompt(vocab_size, 2)) {}

  Result<Trace> trace(const Run& run) {
    const auto first = scheduler_.open_sequence();
    if (!first.ok()) return first.error();
    const auto second = scheduler_.open_sequence();
    if (!second.ok()) return second.error();
    Trace trace;
    const Status done = follow(run, *first, *second, trace);
    scheduler_.close_sequence(*second);
    scheduler_.close_sequence(*first);
    if (!done.ok()) return done.error();
    return trace;
  }

 private:
  Status step(std::span<const Feed> feeds, int64_t chunk, Trace* trace) {
    return scheduler_.forward(
        feeds,
        [&](size_t feed, int64_t, std::span<float> logits) {
          if (feed != 0 || trace == nullptr) return true;
          trace->ids.push_back(best_id(logits));
          trace->logits.push_back(hash_row(logits));
          return true;
        },
        chunk);
  }

  Status follow(const Run& run, int first, int second, Trace& trace) {
    const std::span<const int32_t> prompt(prompt_);
    if (run.reused > 0) {
      const Feed whole{first, prompt, false};
      const Status fed = step(std::span(&whole, 1), 0, nullptr);
      if (!fed.ok()) return fed;
      scheduler_.truncate(first, static_cast<int64_t>(run.reused));
    }
    for (size_t count = 0; count < kAnswerTokens; ++count) {
      const std::span<const int32_t> next =
          count == 0 ? prompt.subspan(run.reused) : std::span<const int32_t>(trace.ids).last(1);
      const int32_t fed_id = next[0];  // trace.ids grows while it is fed
      const Feed feeds[] = {
          {first, count == 0 ? next : std::span(&fed_id, 1), false},
          {second, count == 0 ? std::span<const int32_t>(other_) : std::span(&fed_id, 1), false}};
      const Status fed = step(std::span(feeds, run.companion ? 2 : 1), count == 0 ? run.chunk : 0, &trace);
      if (!fed.ok()) return fed;
    }
    return Done{};
  }

  Scheduler& scheduler_;
  std::vector<int32_t> prompt_;
  std::vector<int32_t> other_;
};

// Traces `runs` on an engine of its own.
Result<std::vector<Trace>> traces(const std::function<Result<Checkpoint>()>& open,
                                  const EngineOptions& options, std::span<const Run> runs) {
  auto checkpoint = open();
  if (!checkpoint.ok()) return checkpoint.error();
  const auto engine = Engine::open(std::move(*checkpoint), options);
  if (!engine.ok()) return engine.error();
  const auto scheduler = Scheduler::create(*engine);
  if (!scheduler.ok()) return scheduler.error();
  Runner runner(**scheduler, (*engine)->config().vocab_size);
  std::vector<Trace> all;
  for (const Run& run : runs) {
    auto trace = runner.trace(run);
    if (!trace.ok()) return trace.error();
    all.push_back(std::move(*trace));
  }
  return all;
}

}  // namespace

Result<std::vector<Consistency>> check_consistency(const std::function<Result<Checkpoint>()>& open,
                                                   EngineOptions options) {
  options.max_sequences = 2;
  const Run runs[] = {{}, {1, false, 0}, {7, false, 0}, {0, true, 0}, {0, false, kPromptTokens / 2}};
  const char* names[] = {"", "prompt token by token", "prompt in pieces of 7", "beside another sequence",
                         "with a reused prefix"};
  const auto plain = traces(open, options, runs);
  if (!plain.ok()) return plain.error();
  options.threads = options.threads == 1 ? 2 : 1;
  const auto threads = traces(open, options, std::span(runs, 1));
  if (!threads.ok()) return threads.error();

  const Trace& reference = plain->front();
  std::vector<Consistency> checks;
  const auto add = [&](const std::string& what, const Trace& trace) {
    checks.push_back({what, static_cast<int>(trace.ids.size()), trace == reference});
  };
  add(options.threads == 1 ? "on 1 thread" : "on 2 threads", threads->front());
  for (size_t i = 1; i < std::size(runs); ++i) add(names[i], (*plain)[i]);
  return checks;
}

}  // namespace ink
