// Ops that run another Ops and show every projection to an observer before it is done: how an importance
// matrix is collected, without a word about it in the model.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "kernels/ops.h"

namespace ink {

// Sees the input x [n, in] of a projection; called once for each of the weights that share it.
using LinearObserver = std::function<void(Tensor x, const Linear& weight)>;

class ObservedOps final : public Ops {
 public:
  ObservedOps(std::unique_ptr<Ops> inner, LinearObserver observer)
      : inner_(std::move(inner)), observer_(std::move(observer)) {}

  Tensor embed(const WeightRows& table, std::span<const int32_t> ids) override;
  Tensor rms_norm(Tensor x, const Norm& norm) override;
  RotaryRows rotary_rows(const Rotary& rotary, std::span<const int32_t> positions) override;
  void rope(Tensor x, const RotaryRows& rotary) override;
  Tensor attention(Tensor q, Tensor k, Tensor v, const Batch& batch, int layer) override;
  void add(Tensor x, Tensor y) override;
  Tensor silu_mul(Tensor gate, Tensor up) override;
  Tensor gather(Tensor x, std::span<const int32_t> rows) override;
  void scatter_add(Tensor x, std::span<const int32_t> rows, std::span<const float> weights,
                   Tensor y) override;
  Routes route(Tensor logits, int64_t top_k, bool renormalise) override;
  Tensor zeros(int64_t rows, int64_t cols) override;

 protected:
  void linear_into(Tensor x, std::span<const Linear* const> weights, std::span<Tensor> outputs) override;
  uint64_t scratch_mark() const override;
  void release_scratch(uint64_t mark) override;

 private:
  std::unique_ptr<Ops> inner_;
  LinearObserver observer_;
  mutable std::deque<Scope> scopes_;  // of inner_; a mark is how many were open
};

}  // namespace ink
