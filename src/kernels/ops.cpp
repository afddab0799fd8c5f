// What Ops puts together itself; see kernels/ops.h.
#include "kernels/ops.h"

#include <vector>

namespace ink {

Tensor Ops::linear(Tensor x, const Linear& a) {
  const Linear* weights[] = {&a};
  Tensor outputs[1];
  linear_into(x, weights, outputs);
  return outputs[0];
}

std::array<Tensor, 2> Ops::linear(Tensor x, const Linear& a, const Linear& b) {
  const Linear* weights[] = {&a, &b};
  std::array<Tensor, 2> outputs;
  linear_into(x, weights, outputs);
  return outputs;
}

std::array<Tensor, 3> Ops::linear(Tensor x, const Linear& a, const Linear& b, const Linear& c) {
  const Linear* weights[] = {&a, &b, &c};
  std::array<Tensor, 3> outputs;
  linear_into(x, weights, outputs);
  return outputs;
}

void Ops::add_linear(Tensor x, Tensor y, const Linear& a) {
  const auto temporaries = scope();
  add(x, linear(y, a));
}

void Ops::add_gated(Tensor x, Tensor h, const GatedProjections& mlp) {
  const auto temporaries = scope();
  const auto [gate, up] = linear(h, mlp.gate_proj, mlp.up_proj);
  add(x, linear(silu_mul(gate, up), mlp.down_proj));
}

void Ops::add_mixture(Tensor x, Tensor h, std::span<const GatedProjections> experts, const Routes& routes) {
  const auto temporaries = scope();
  const Tensor sum = zeros(h.rows, h.cols);
  for (size_t e = 0; e < experts.size(); ++e) {
    std::vector<int32_t> rows;  // tokens of this expert, in order
    std::vector<float> weights;
    for (int64_t i = 0; i < routes.tokens * routes.top_k; ++i) {
      if (routes.expert[i] != static_cast<int32_t>(e)) continue;
      rows.push_back(static_cast<int32_t>(i / routes.top_k));
      weights.push_back(routes.weight[i]);
    }
    if (rows.empty()) continue;
    const auto expert_lives_here = scope();
    const auto [gate, up] = linear(gather(h, rows), experts[e].gate_proj, experts[e].up_proj);
    scatter_add(sum, rows, weights, linear(silu_mul(gate, up), experts[e].down_proj));
  }
  add(x, sum);
}

}  // namespace ink
