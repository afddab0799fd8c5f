// See models/moe.h.
#include "models/moe.h"

namespace ink {

MoeMlp::MoeMlp(Weights& weights, const std::string& prefix, const ModelConfig& config)
    : top_k_(config.num_experts_per_tok), norm_topk_prob_(config.norm_topk_prob) {
  const int64_t experts = config.num_experts;
  const int64_t hidden = config.hidden_size;
  const int64_t intermediate = config.moe_intermediate_size;
  gate_ = weights.linear(prefix + ".gate", experts, hidden);
  const auto gate_proj = weights.experts(prefix + ".experts", "gate_proj", experts, intermediate, hidden);
  const auto up_proj = weights.experts(prefix + ".experts", "up_proj", experts, intermediate, hidden);
  const auto down_proj = weights.experts(prefix + ".experts", "down_proj", experts, hidden, intermediate);
  for (size_t e = 0; e < gate_proj.size(); ++e) experts_.push_back({gate_proj[e], up_proj[e], down_proj[e]});
}

void MoeMlp::add_to(Ops& op, Tensor x, Tensor h) const {
  const Routes routes = op.route(op.linear(h, gate_), top_k_, norm_topk_prob_);
  op.add_mixture(x, h, experts_, routes);
}

}  // namespace ink
