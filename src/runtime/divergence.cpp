// See runtime/divergence.h. Sums over a vocabulary run in double: a divergence of 1e-6 is a difference of
// sums near 10.
#include "runtime/divergence.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace ink {
namespace {

size_t likeliest(std::span<const float> logits) {
  return static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// ln of the sum of exp(logit).
double log_of_sum(std::span<const float> logits) {
  const double best = logits[likeliest(logits)];
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - best);
  return std::log(sum) + best;
}

}  // namespace

double negative_log_likelihood(std::span<const float> logits, int32_t id) {
  return log_of_sum(logits) - static_cast<double>(logits[static_cast<size_t>(id)]);
}

TokenDivergence compare_predictions(std::span<const float> reference, std::span<const float> logits,
                                    int32_t id) {
  INK_CHECK(reference.size() == logits.size(), "both models have one vocabulary");
  const double reference_sum = log_of_sum(reference);
  const double sum = log_of_sum(logits);
  TokenDivergence token;
  for (size_t i = 0; i < logits.size(); ++i) {
    const double log_p = static_cast<double>(reference[i]) - reference_sum;
    const double log_q = static_cast<double>(logits[i]) - sum;
    token.divergence += std::exp(log_p) * (log_p - log_q);
  }
  token.divergence = std::max(token.divergence, 0.0);  // rounding can leave -1e-16
  token.same_top = likeliest(reference) == likeliest(logits);
  token.reference_loss = reference_sum - static_cast<double>(reference[static_cast<size_t>(id)]);
  token.loss = sum - static_cast<double>(logits[static_cast<size_t>(id)]);
  return token;
}

DivergenceSummary summarize_divergence(std::span<const TokenDivergence> tokens) {
  INK_CHECK(!tokens.empty(), "a summary of nothing");
  const auto count = static_cast<double>(tokens.size());
  std::vector<double> sorted;
  DivergenceSummary summary;
  double sum = 0, squares = 0, same = 0;
  for (const TokenDivergence& token : tokens) {
    sorted.push_back(token.divergence);
    sum += token.divergence;
    squares += token.divergence * token.divergence;
    same += token.same_top ? 1 : 0;
  }
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](double share) { return sorted[static_cast<size_t>(std::lround(share * (count - 1)))]; };
  summary.tokens = static_cast<int64_t>(tokens.size());
  summary.mean = sum / count;
  summary.same_top = same / count;
  const double variance = squares / count - summary.mean * summary.mean;
  summary.mean_error = count > 1 && variance > 0 ? std::sqrt(variance / (count - 1)) : 0;
  summary.median = at(0.5);
  summary.percentile_99 = at(0.99);
  summary.max = sorted.back();
  return summary;
}

}  // namespace ink
