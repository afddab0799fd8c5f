// Mixture of experts: every token goes through the top_k experts that a router picks for it.
#pragma once

#include <string>
#include <vector>

#include "models/decoder.h"

namespace ink {

class MoeMlp final : public FeedForward {
 public:
  MoeMlp(Weights& weights, const std::string& prefix, const ModelConfig& config);
  void add_to(Ops& op, Tensor x, Tensor h) const override;

 private:
  int64_t top_k_;
  bool norm_topk_prob_;
  Linear gate_;  // [experts, hidden]: the router
  std::vector<GatedProjections> experts_;
};

}  // namespace ink
