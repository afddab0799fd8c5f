// One timeline of a conversation. The caller always gives the whole prompt; the session keeps the longest
// common prefix of what it, or any other session of the scheduler, has already computed, and feeds the rest.
// Several sessions may generate at the same time, each on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/sampler.h"
#include "runtime/scheduler.h"

namespace ink {

class Constraint;

struct GenerationOptions {
  SamplingOptions sampling;
  // What the answer may be (runtime/constraint.h); null: anything. It is reset when the generation begins,
  // sleeps while the model thinks (starts_in_thinking), and serves one generation at a time. Stop tokens are
  // drawn only where the answer may end.
  Constraint* constraint = nullptr;
  int64_t max_tokens = -1;                // -1: until a stop or the end of the context
  std::vector<int32_t> stop_tokens;       // end the answer and are not part of its text
  std::vector<std::string> stop_strings;  // the same for text, but not in thinking; never emitted
  int64_t thinking_budget = -1;  // tokens of thinking before the model is brought to its answer; -1: no limit
  bool starts_in_thinking = false;  // the prompt already opened <think>
  bool context_shift = false;  // full context: forget the older half of the answer's past instead of failing
  // Most tokens that are guessed from what was said before and read together with the last one
  // (runtime/lookup.h); 0: none. The answer is the same with any number.
  int64_t lookup_tokens = 15;
  // For measuring: the answer is these tokens, whatever the model says. All of its work is done, and what it
  // says is drawn and thrown away. Null: the model's own answer.
  const std::vector<int32_t>* given_answer = nullptr;
  int64_t keep_tokens = 0;     // with context_shift: tokens at the beginning that are never forgotten
  bool explain_cache = false;  // GenerationResult::divergence
};

enum class FinishReason { kStop, kLength, kContextFull, kCancelled };

// A piece of the answer as it is generated. `text` may be empty while a character is incomplete.
struct GeneratedPiece {
  int32_t id = 0;
  std::string text;
  // Null for tokens that were put there, not drawn (the thinking budget's words). A token that a constraint
  // leaves no choice about has probability 1.
  const SampledToken* sampled = nullptr;
};

struct GenerationResult {
  FinishReason finish = FinishReason::kStop;
  std::string stop_string;   // which one matched, if any
  std::vector<int32_t> ids;  // the answer, without the stop token
  std::string text;
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;                  // of the prompt, reused
  int64_t steps = 0;                          // of the model, for the answer
  int64_t guessed_tokens = 0;                 // by look-up
  int64_t guessed_right_tokens = 0;           // of them, part of the answer
  std::optional<CacheDivergence> divergence;  // of the prompt from all that was kept, when asked for
  double prompt_seconds = 0;
  double generation_seconds = 0;
};

class Session {
 public:
  // Errors: as Scheduler::open_sequence. With `options.cancelled` set, generate ends with kCancelled.
  static Result<std::unique_ptr<Session>> create(Scheduler& scheduler, const SequenceOptions& options = {});
  ~Session();

  // Generates from the whole prompt. `on_piece` sees every piece and returns false to stop (kCancelled).
  // `on_prompt` (optional) is told how many prompt tokens are done after each batch, and returns false to
  // stop likewise; what has been read stays in the cache. Errors: kInvalid for an empty prompt or
  // ids outside the vocabulary or a constraint of another one, kTooLarge when the prompt does not leave room
  // for one token.
  Result<GenerationResult> generate(const std::vector<int32_t>& prompt, const GenerationOptions& options,
                                    const std::function<bool(const GeneratedPiece&)>& on_piece,
                                    const std::function<bool(int64_t done, int64_t total)>& on_prompt = {});

  const std::vector<int32_t>& tokens() const { return tokens_; }  // what is in the cache now

 private:
  class Generation;
  Session(Scheduler& scheduler, int sequence) : scheduler_(scheduler), sequence_(sequence) {}
  Scheduler& scheduler_;
  int sequence_;
  std::vector<int32_t> tokens_;
};

}  // namespace ink
