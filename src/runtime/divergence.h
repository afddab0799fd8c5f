// How far one model's predictions are from another's on the same tokens: the Kullback-Leibler divergence of
// their distributions, whether the likeliest token agrees, and what each gave to the token that came.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ink {

// -ln of the probability that logits [vocab] give to `id`.
double negative_log_likelihood(std::span<const float> logits, int32_t id);

struct TokenDivergence {
  double divergence = 0;  // sum of p ln(p / q), p from the reference; nats
  bool same_top = false;
  double reference_loss = 0;  // -ln p of the token that came
  double loss = 0;            // -ln q of it
};
// Logits [vocab] of the same length.
TokenDivergence compare_predictions(std::span<const float> reference, std::span<const float> logits,
                                    int32_t id);

struct DivergenceSummary {
  int64_t tokens = 0;
  double mean = 0;
  double mean_error = 0;  // one standard error of the mean
  double median = 0;
  double percentile_99 = 0;
  double max = 0;
  double same_top = 0;  // share of the tokens
};
// `tokens` is not empty.
DivergenceSummary summarize_divergence(std::span<const TokenDivergence> tokens);

}  // namespace ink
