// See services/retrieval/last_states.h. Prompts go through the model in groups, a sequence each. Where all
// begin alike (the question before every document), the first one goes alone and the others take over what it
// has computed.
#include "services/retrieval/last_states.h"

#include <algorithm>
#include <string>

namespace ink {
namespace {

constexpr size_t kMostTogether = 16;      // short texts fill a step of 512 tokens with that
constexpr size_t kWorthSharing = 32;      // tokens that all prompts begin with
constexpr size_t kLeastThatCanShare = 3;  // prompts

// The sequences of one group; given back when it ends.
class SequenceGroup {
 public:
  SequenceGroup(Scheduler& scheduler, Priority priority, const std::atomic<bool>& cancelled)
      : scheduler_(scheduler), priority_(priority), cancelled_(cancelled) {}
  ~SequenceGroup() {
    for (const int sequence : open_) scheduler_.close_sequence(sequence);
  }
  SequenceGroup(const SequenceGroup&) = delete;
  SequenceGroup& operator=(const SequenceGroup&) = delete;

  // One for each prompt, or for the first few of them. Only for the first is waited: two groups that wait
  // for each other's sequences would wait for ever.
  Status open(std::span<const std::vector<int32_t>> prompts) {
    for (const std::vector<int32_t>& prompt : prompts) {
      const auto tokens = static_cast<int64_t>(prompt.size());
      const auto sequence = scheduler_.open_sequence({tokens, priority_, open_.empty(), &cancelled_});
      if (!sequence.ok() && open_.empty()) return sequence.error();
      if (!sequence.ok()) break;
      open_.push_back(*sequence);
    }
    return Done{};
  }
  const std::vector<int>& sequences() const { return open_; }

 private:
  Scheduler& scheduler_;
  Priority priority_;
  const std::atomic<bool>& cancelled_;
  std::vector<int> open_;
};

Status check_prompts(const ServedModel& model, std::span<const std::vector<int32_t>> prompts) {
  const int64_t context = model.engine->options().context_tokens;
  for (const std::vector<int32_t>& prompt : prompts) {
    const auto tokens = static_cast<int64_t>(prompt.size());
    if (tokens == 0) return Error{ErrorKind::kInvalid, "input", "at least one token", "none", ""};
    if (tokens > context)
      return Error{ErrorKind::kTooLarge, "context", "at most " + std::to_string(context) + " tokens",
                   std::to_string(tokens), "a larger --ctx-size holds more"};
  }
  return Done{};
}

bool begin_alike(std::span<const std::vector<int32_t>> prompts) {
  if (prompts.size() < kLeastThatCanShare) return false;
  const std::vector<int32_t>& first = prompts.front();
  return first.size() > kWorthSharing && std::all_of(prompts.begin(), prompts.end(), [&](const auto& prompt) {
           return prompt.size() > kWorthSharing &&
                  std::equal(first.begin(), first.begin() + kWorthSharing, prompt.begin());
         });
}

// Computes the first few prompts, as many as there are sequences for; returns how many.
Result<size_t> compute_group(ServedModel& model, std::span<const std::vector<int32_t>> prompts, bool share,
                             Priority priority, const std::atomic<bool>& cancelled,
                             std::span<std::vector<float>> states) {
  Scheduler& scheduler = *model.scheduler;
  SequenceGroup group(scheduler, priority, cancelled);
  const Status opened = group.open(prompts);
  if (!opened.ok()) return opened.error();
  std::vector<Feed> feeds;
  for (size_t i = 0; i < group.sequences().size(); ++i) {
    const int sequence = group.sequences()[i];
    const auto known = static_cast<size_t>(scheduler.reuse(sequence, prompts[i]));
    feeds.push_back({sequence, std::span(prompts[i]).subspan(known), false, ModelOutput::kHidden});
  }
  const Status computed = scheduler.forward(feeds, [&](size_t feed, int64_t, std::span<float> state) {
    states[feed].assign(state.begin(), state.end());
    return true;
  });
  if (!computed.ok()) return computed.error();
  if (share) scheduler.share(group.sequences().front());
  return feeds.size();
}

}  // namespace

Result<std::vector<std::vector<float>>> last_states(ServedModel& model,
                                                    std::span<const std::vector<int32_t>> prompts,
                                                    Priority priority, const std::atomic<bool>& cancelled) {
  const Status checked = check_prompts(model, prompts);
  if (!checked.ok()) return checked.error();
  const auto half = static_cast<size_t>(std::max(1, model.engine->options().max_sequences / 2));
  const size_t together = std::min(half, kMostTogether);
  const bool alike = begin_alike(prompts);
  std::vector<std::vector<float>> states(prompts.size());
  for (size_t done = 0; done < prompts.size();) {
    const bool first = alike && done == 0;
    const auto group = prompts.subspan(done, first ? 1 : std::min(together, prompts.size() - done));
    const auto computed =
        compute_group(model, group, first, priority, cancelled, std::span(states).subspan(done));
    if (!computed.ok()) return computed.error();
    done += *computed;
  }
  return states;
}

}  // namespace ink
