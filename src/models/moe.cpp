// See models/moe.h. Experts run in ascending order, so a token's sum has one order whatever else is in the
// batch.
#include "models/moe.h"

namespace ink {

MoeMlp::MoeMlp(Weights& weights, const std::string& prefix, const ModelConfig& config)
    : top_k_(config.num_experts_per_tok), norm_topk_prob_(config.norm_topk_prob) {
  const int64_t experts = config.num_experts;
  const int64_t hidden = config.hidden_size;
  const int64_t intermediate = config.moe_intermediate_size;
  gate_ = weights.linear(prefix + ".gate", experts, hidden);
  gate_proj_ = weights.experts(prefix + ".experts", "gate_proj", experts, intermediate, hidden);
  up_proj_ = weights.experts(prefix + ".experts", "up_proj", experts, intermediate, hidden);
  down_proj_ = weights.experts(prefix + ".experts", "down_proj", experts, hidden, intermediate);
}

Tensor MoeMlp::forward(Ops& op, Tensor h) const {
  const Routes routes = op.route(op.linear(h, gate_), top_k_, norm_topk_prob_);
  const Tensor out = op.zeros(h.rows, h.cols);

  std::vector<std::vector<int32_t>> rows(gate_proj_.size());  // tokens of each expert, in order
  std::vector<std::vector<float>> shares(gate_proj_.size());
  for (int64_t i = 0; i < routes.tokens * routes.top_k; ++i) {
    const auto expert = static_cast<size_t>(routes.expert[i]);
    rows[expert].push_back(static_cast<int32_t>(i / routes.top_k));
    shares[expert].push_back(routes.weight[i]);
  }
  for (size_t e = 0; e < rows.size(); ++e) {
    if (rows[e].empty()) continue;
    const auto temporaries = op.scope();
    const auto [gate, up] = op.linear(op.gather(h, rows[e]), gate_proj_[e], up_proj_[e]);
    op.scatter_add(out, rows[e], shares[e], op.linear(op.silu_mul(gate, up), down_proj_[e]));
  }
  return out;
}

}  // namespace ink
