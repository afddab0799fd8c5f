// From logits to the next token: a mask of what is allowed, logit bias, penalties, then greedy or a draw. The
// order behind the mask is llama.cpp's default chain (bias, penalties, top-k, top-p, min-p, temperature),
// which the recommended values of the model cards assume. The same logits, options and seed give the same
// tokens on every platform.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/token_mask.h"

namespace ink {

struct SamplingOptions {
  float temperature = 0.8f;     // 0: greedy, the lowest id wins a tie
  int32_t top_k = 40;           // 0: all
  float top_p = 0.95f;          // 1: off
  float min_p = 0.05f;          // 0: off
  float repeat_penalty = 1.0f;  // 1: off; divides positive and multiplies negative logits of seen tokens
  float presence_penalty = 0.0f;
  float frequency_penalty = 0.0f;
  int32_t penalty_last_n = 64;  // how many recent tokens count; -1: all, 0: none
  uint64_t seed = 0;
  std::vector<std::pair<int32_t, float>> logit_bias;  // (id, added to its logit); -infinity bans a token
  int32_t logprobs = -1;  // how many alternatives to report; -1: none, 0: only the chosen one
};

// What somebody wants otherwise than the model has it; what is not set stays.
struct SamplingChanges {
  std::optional<float> temperature, top_p, min_p;
  std::optional<int64_t> top_k;  // of 32 bits
  std::optional<float> repeat_penalty, presence_penalty, frequency_penalty;

  void apply_to(SamplingOptions& options) const;
};

// Another one each time.
uint64_t random_seed();

struct TokenProbability {
  int32_t id = 0;
  // Natural logarithm of the model's own softmax over the allowed tokens (all, without a mask): before bias,
  // penalties and truncation.
  float logprob = 0;
};

struct SampledToken {
  int32_t id = 0;
  float logprob = 0;                  // set when logprobs >= 0
  std::vector<TokenProbability> top;  // the best `logprobs` tokens
};

class Sampler {
 public:
  explicit Sampler(SamplingOptions options);

  // Tells the sampler about a token of the prompt or the answer (for the penalties).
  void accept(int32_t id);
  // logits [vocabulary] are changed in place. NaN logits count as -infinity; if nothing is left, the best raw
  // one. With a mask, which allows at least one token, the answer is always an allowed one.
  SampledToken sample(std::span<float> logits, const TokenMask* allowed = nullptr);
  void reset();  // forgets the tokens seen and starts the random sequence again

 private:
  bool adjusts() const;
  void adjust(std::span<float> logits) const;
  int32_t draw(std::span<const float> logits, float best);
  void cut_candidates(float best);

  SamplingOptions options_;
  std::mt19937_64 random_;
  std::vector<int32_t> recent_;  // a ring of the last penalty_last_n tokens; unused when that is -1
  size_t next_recent_ = 0;       // where the ring is written next
  std::unordered_map<int32_t, int32_t> counts_;  // how often each counted token occurs
  std::vector<TokenProbability> candidates_;     // logprob holds the logit here
  std::vector<double> weights_;
};

}  // namespace ink
