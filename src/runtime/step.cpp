// See runtime/step.h.
#include "runtime/step.h"

#include <algorithm>
#include <optional>

namespace ink {
namespace {

// Answers feed a token, or a few when guesses or forced tokens are read with it.
constexpr int64_t kLongestAnswerFeed = 16;

int64_t left_of(const PendingFeed& pending) {
  return static_cast<int64_t>(pending.feed->tokens.size()) - pending.fed;
}

bool is_prompt(const PendingFeed& pending) { return left_of(pending) > kLongestAnswerFeed; }

class StepBuilder {
 public:
  StepBuilder(std::span<const PendingFeed> pending, const StepLimits& limits)
      : pending_(pending), limits_(limits) {
    step_.taken.assign(pending.size(), 0);
  }

  // Takes from one feed as much as fits into the step and `budget`; returns how many.
  int64_t take(size_t index, int64_t budget) {
    const PendingFeed& from = pending_[index];
    if (!may_join(*from.feed)) return 0;
    const int64_t most = std::min({left_of(from), from.at_most, budget});
    int64_t taken = 0;
    while (taken < most && has_room()) append(index, taken++);
    step_.taken[index] = taken;
    return taken;
  }

  bool empty() const { return step_.tokens.empty(); }
  Step finish() { return std::move(step_); }

 private:
  bool may_join(const Feed& feed) const { return empty() || feed.output == step_.output; }
  bool has_room() const {
    return static_cast<int64_t>(step_.tokens.size()) < limits_.batch_tokens &&
           static_cast<int64_t>(step_.output_rows.size()) < limits_.output_rows;
  }
  void append(size_t index, int64_t taken) {
    const PendingFeed& from = pending_[index];
    const int64_t token = from.fed + taken;
    const bool is_last = token + 1 == static_cast<int64_t>(from.feed->tokens.size());
    if (empty()) step_.output = from.feed->output;
    if (from.feed->all_logits || is_last) {
      step_.output_rows.push_back(static_cast<int32_t>(step_.tokens.size()));
      step_.outputs.push_back({index, token});
    }
    step_.tokens.push_back(from.feed->tokens[static_cast<size_t>(token)]);
    step_.positions.push_back(static_cast<int32_t>(from.length + taken));
    step_.sequences.push_back(from.feed->sequence);
  }

  std::span<const PendingFeed> pending_;
  const StepLimits& limits_;
  Step step_;
};

}  // namespace

Step form_step(std::span<const PendingFeed> pending, const StepLimits& limits) {
  std::vector<size_t> order(pending.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return pending[a].priority > pending[b].priority; });
  std::optional<Priority> lowest;  // that takes part
  for (const size_t i : order) {
    if (!lowest && is_prompt(pending[i])) lowest = pending[i].priority;
  }
  const auto takes_part = [&](size_t i) { return !lowest || pending[i].priority >= *lowest; };
  StepBuilder builder(pending, limits);
  for (const size_t i : order) {
    if (takes_part(i) && !is_prompt(pending[i])) builder.take(i, limits.batch_tokens);
  }
  const bool are_others = !builder.empty() || limits.others_are_answering;
  int64_t budget = are_others ? limits.prompt_tokens : limits.batch_tokens;
  for (const size_t i : order) {
    if (takes_part(i) && is_prompt(pending[i])) budget -= builder.take(i, budget);
  }
  return builder.finish();
}

}  // namespace ink
