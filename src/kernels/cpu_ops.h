// Ops on the processor: runs each operation at once on the thread pool with one kernel table. Work is cut by
// rows, panels and heads, never inside a sum, so the number of threads cannot change a result.
#pragma once

#include "base/arena.h"
#include "base/result.h"
#include "base/threads.h"
#include "kernels/ops.h"

namespace ink {

// Consecutive tokens of a batch: consecutive slots of one sequence.
struct TokenRun {
  int64_t first;
  int64_t tokens;
};

class CpuOps final : public Ops {
 public:
  // scratch_bytes: the most that a forward allocates (Qwen3Model::scratch_bytes). max_slots: the longest
  // sequence that attention will see; group: query heads that share a key/value head. Errors: kTooLarge.
  static Result<std::unique_ptr<CpuOps>> create(const KernelTable& kernels, ThreadPool& threads,
                                                uint64_t scratch_bytes, int64_t max_slots, int64_t group,
                                                int64_t head_dim);

  Tensor embed(const WeightRows& table, std::span<const int32_t> ids) override;
  Tensor rms_norm(Tensor x, const Norm& norm) override;
  RotaryRows rotary_rows(const Rotary& rotary, std::span<const int32_t> positions) override;
  void rope(Tensor x, const RotaryRows& rotary) override;
  void store(const Batch& batch, int layer, Tensor k, Tensor v) override;
  Tensor attention(Tensor q, const Batch& batch, int layer) override;
  void add(Tensor x, Tensor y) override;
  Tensor silu_mul(Tensor gate, Tensor up) override;
  Tensor gather(Tensor x, std::span<const int32_t> rows) override;
  void scatter_add(Tensor x, std::span<const int32_t> rows, std::span<const float> weights,
                   Tensor y) override;
  Routes route(Tensor logits, int64_t top_k, bool renormalise) override;
  Tensor zeros(int64_t rows, int64_t cols) override;

 protected:
  void linear_into(Tensor x, std::span<const Linear* const> weights, std::span<Tensor> outputs) override;
  uint64_t scratch_mark() const override { return arena_.used(); }
  void release_scratch(uint64_t mark) override { arena_.reset_to(mark); }

 private:
  CpuOps(const KernelTable& kernels, ThreadPool& threads) : kernels_(kernels), threads_(threads) {}
  Tensor make(int64_t rows, int64_t cols);
  QuantizedRows quantize(Tensor x);
  void run_panels(Tensor x, const QuantizedRows& quantized, const PackedMatrix& weight, int64_t first_row,
                  int64_t rows, int64_t panel, float* out) const;
  void store_row(const KvView& kv, const float* row, std::byte* page, int64_t slot) const;
  void attend(Tensor q, const Batch& batch, int layer, const TokenRun& run, int64_t kv_head, int thread,
              Tensor out) const;
  void linear_panel(Tensor x, const QuantizedRows& quantized, const Linear& linear, int64_t panel,
                    Tensor output) const;

  const KernelTable& kernels_;
  ThreadPool& threads_;
  Arena arena_;
  PageMemory attention_scratch_;  // [threads] of attention_scratch_floats for the largest tile
  int64_t attention_floats_ = 0;
  PageMemory page_pointers_;  // [threads][2][pages of the longest sequence]
  int64_t pages_per_thread_ = 0;
};

}  // namespace ink
