// See kernels/observed_ops.h.
#include "kernels/observed_ops.h"

#include <algorithm>

#include "base/check.h"

namespace ink {

Tensor ObservedOps::embed(const WeightRows& table, std::span<const int32_t> ids) {
  return inner_->embed(table, ids);
}
Tensor ObservedOps::rms_norm(Tensor x, const Norm& norm) { return inner_->rms_norm(x, norm); }
RotaryRows ObservedOps::rotary_rows(const Rotary& rotary, std::span<const int32_t> positions) {
  return inner_->rotary_rows(rotary, positions);
}
void ObservedOps::rope(Tensor x, const RotaryRows& rotary) { inner_->rope(x, rotary); }
Tensor ObservedOps::attention(Tensor q, Tensor k, Tensor v, const Batch& batch, int layer) {
  return inner_->attention(q, k, v, batch, layer);
}
void ObservedOps::add(Tensor x, Tensor y) { inner_->add(x, y); }
Tensor ObservedOps::silu_mul(Tensor gate, Tensor up) { return inner_->silu_mul(gate, up); }
Tensor ObservedOps::gather(Tensor x, std::span<const int32_t> rows) { return inner_->gather(x, rows); }
void ObservedOps::scatter_add(Tensor x, std::span<const int32_t> rows, std::span<const float> weights,
                              Tensor y) {
  inner_->scatter_add(x, rows, weights, y);
}
Routes ObservedOps::route(Tensor logits, int64_t top_k, bool renormalise) {
  return inner_->route(logits, top_k, renormalise);
}
Tensor ObservedOps::zeros(int64_t rows, int64_t cols) { return inner_->zeros(rows, cols); }

void ObservedOps::linear_into(Tensor x, std::span<const Linear* const> weights, std::span<Tensor> outputs) {
  for (const Linear* weight : weights) observer_(x, *weight);
  const auto take = [&](const auto& results) { std::copy(results.begin(), results.end(), outputs.begin()); };
  switch (weights.size()) {
    case 1:
      outputs[0] = inner_->linear(x, *weights[0]);
      return;
    case 2:
      return take(inner_->linear(x, *weights[0], *weights[1]));
    case 3:
      return take(inner_->linear(x, *weights[0], *weights[1], *weights[2]));
    default:
      INK_CHECK(false, "at most three weights share an input");
  }
}

uint64_t ObservedOps::scratch_mark() const {
  scopes_.emplace_back(*inner_);
  return scopes_.size() - 1;
}

void ObservedOps::release_scratch(uint64_t mark) {
  while (scopes_.size() > mark) scopes_.pop_back();
}

}  // namespace ink
