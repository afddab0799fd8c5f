// What goes into the next step when several callers have tokens waiting: the policy, apart from the threads
// that follow it (runtime/scheduler). Answers that are being written go first, since they need a token each;
// prompts share what is left, so that reading a long one does not make the others stutter. While a prompt of
// a higher priority is read, those of a lower one wait.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/qwen3.h"

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

// A feed of which `fed` tokens are done.
struct PendingFeed {
  const Feed* feed = nullptr;
  int64_t fed = 0;
  int64_t at_most = 0;  // tokens of it in one step
  int64_t length = 0;   // of its sequence's cache now
  Priority priority = Priority::kChat;
};

struct StepLimits {
  int64_t batch_tokens = 512;
  int64_t output_rows = 128;
  int64_t prompt_tokens = 512;        // of prompts, in a step that others wait for
  bool others_are_answering = false;  // those that come back for the step after this one
};

struct Step {
  std::vector<int32_t> tokens;
  std::vector<int32_t> positions;
  std::vector<int32_t> sequences;
  std::vector<int32_t> output_rows;
  struct Source {
    size_t pending = 0;
    int64_t token = 0;  // of its feed
  };
  std::vector<Source> outputs;                // of each output row
  std::vector<int64_t> taken;                 // tokens of each pending feed
  ModelOutput output = ModelOutput::kLogits;  // one kind for the whole step
};

// `pending` in the order of arrival; no two of one sequence. Takes at least one token if there is any.
Step form_step(std::span<const PendingFeed> pending, const StepLimits& limits);

}  // namespace ink
