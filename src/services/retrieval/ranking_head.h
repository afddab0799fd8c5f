// How likely a state says "yes": two rows of a model's head, read as the file has them. All other rows, of a
// vocabulary of 151,936 tokens, are never multiplied with, and no logit is rounded on the way.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/engine.h"

namespace ink {

class RankingHead {
 public:
  // Of a causal model the rows of the tokens "yes" and "no"; of a classifier its own one or two rows. Errors:
  // kUnsupported with what is missing.
  static Result<RankingHead> create(const Engine& engine);
  // Of a causal model without a tokenizer.
  static Result<RankingHead> create(const Engine& engine, int32_t yes, int32_t no);

  // The probability of "yes" among the two: softmax over their logits.
  float score(std::span<const float> state) const;

 private:
  std::vector<float> yes_;
  std::vector<float> no_;  // empty: there is one row, of the difference
};

}  // namespace ink
