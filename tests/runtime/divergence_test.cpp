// Divergences against numbers worked out by hand.
#include "runtime/divergence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace ink {
namespace {

// Logits whose softmax is the given distribution, moved by a constant that must not matter.
std::vector<float> logits_of(std::initializer_list<double> probabilities, double moved) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p) + moved));
  return logits;
}

TEST(Divergence, OfTwoDistributions) {
  const auto p = logits_of({0.5, 0.25, 0.25}, 3), q = logits_of({0.25, 0.5, 0.25}, -700);
  const TokenDivergence token = compare_predictions(p, q, 2);
  EXPECT_NEAR(token.divergence, 0.5 * std::log(2.0) - 0.25 * std::log(2.0), 1e-4);
  EXPECT_FALSE(token.same_top);
  EXPECT_NEAR(token.reference_loss, std::log(4.0), 1e-5);
  EXPECT_NEAR(token.loss, std::log(4.0), 1e-4);
  EXPECT_NEAR(negative_log_likelihood(p, 0), std::log(2.0), 1e-6);
}

TEST(Divergence, OfADistributionFromItselfIsZero) {
  const auto p = logits_of({0.5, 0.25, 0.25}, 0);
  const TokenDivergence token = compare_predictions(p, p, 0);
  EXPECT_EQ(token.divergence, 0);
  EXPECT_TRUE(token.same_top);
}

TEST(Divergence, ImpossibleTokensCountNothing) {
  const std::vector<float> p = {0.0f, 0.0f, -1e30f}, q = {0.0f, 0.0f, -50.0f};
  EXPECT_NEAR(compare_predictions(p, q, 0).divergence, 0, 1e-12);
}

TEST(Divergence, Summary) {
  std::vector<TokenDivergence> tokens(101);
  for (size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = {static_cast<double>((i * 37) % 101), i % 4 != 0, 0, 0};  // 0 … 100 in some order
  const DivergenceSummary summary = summarize_divergence(tokens);
  EXPECT_EQ(summary.tokens, 101);
  EXPECT_NEAR(summary.mean, 50, 1e-9);
  EXPECT_NEAR(summary.mean_error, std::sqrt(850.0 / 100), 1e-9);
  EXPECT_EQ(summary.median, 50);
  EXPECT_EQ(summary.percentile_99, 99);
  EXPECT_EQ(summary.max, 100);
  EXPECT_NEAR(summary.same_top, 75.0 / 101, 1e-12);
  EXPECT_EQ(summarize_divergence(std::span(tokens).first(1)).mean_error, 0);
}

}  // namespace
}  // namespace ink
