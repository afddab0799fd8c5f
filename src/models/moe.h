// Mixture of experts: every token goes through the top_k experts that a router picks for it.
#pragma once

#include <string>
#include <vector>

#include "models/decoder.h"

namespace ink {

class MoeMlp final : public FeedForward {
 public:
  MoeMlp(Weights& weights, const std::string& prefix, const ModelConfig& config);
  Tensor forward(Ops& op, Tensor h) const override;

 private:
  int64_t top_k_;
  bool norm_topk_prob_;
  Linear gate_;                    // [experts, hidden]: the router
  std::vector<Linear> gate_proj_;  // [experts] of [moe_intermediate, hidden]
  std::vector<Linear> up_proj_;
  std::vector<Linear> down_proj_;  // [experts] of [hidden, moe_intermediate]
};

}  // namespace ink
