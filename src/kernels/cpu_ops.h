// Ops on the processor: runs each operation at once on the thread pool with one kernel table. Work is cut by
// rows, panels, heads and the spans of a cache, never elsewhere inside a sum, so the number of threads cannot
// change a result.
#pragma once

#include "base/arena.h"
#include "base/result.h"
#include "base/threads.h"
#include "kernels/ops.h"

namespace ink {

// Multiplications by integer weights that are worth waking a thread for: some 10 µs of work. A model of a few
// million parameters decodes on its caller alone, and faster for it.
inline constexpr int64_t kWorthAThread = 262144;
// What one by a float weight, a key or a value counts: it reads four to eight times the bytes.
inline constexpr int64_t kFloatCost = 4;

// Rows that a panel serves before the next panel is read: 64 rows of 4,096 int8 activations are half of a 512
// KiB second-level cache.
inline constexpr int64_t kRowTile = 64;

// For small regions: rows of so many floats that are worth a thread.
constexpr int64_t rows_worth_a_thread(int64_t cols) {
  return cols < 16384 ? 16384 / (cols > 0 ? cols : 1) : 1;
}

// Of pieces of work, each `panels` panels like the weight's for `rows` rows: how many are worth a thread.
int64_t items_worth_a_thread(const PackedMatrix& weight, int64_t panels, int64_t rows);

// Consecutive tokens of a batch: consecutive slots of one sequence.
struct TokenRun {
  int64_t first;
  int64_t tokens;
};

// One call of attention.
struct AttentionCall {
  Tensor q;
  Tensor k;
  Tensor v;
  Tensor out;
  const Batch& batch;
  int layer;
  int64_t group;  // query heads that share a key/value head

  // Nobody but who attends to its heads reads what it writes.
  bool lone_token() const { return batch.tokens.size() == 1; }
};

// What a table attends to at once: a run with the query heads of one key/value head.
struct TileOfRun {
  TokenRun run;
  int64_t kv_head;
};

// What attention multiplies with keys of integers: the rows of a tile, rotated like the keys, times its scale
// and kLog2E, rounded: [rows][padded_dim] and their scales [rows]. Works in the tile's scratch.
void round_queries(const KernelTable& kernels, const AttentionTile& tile, int16_t* rounded, float* scales);

// Fewer tiles of attention for each thread, and the spans of a tile are shared out, too.
inline constexpr int64_t kTilesAThread = 2;

// What projections read: rows of floats and, where integer weights read them, the same rows rounded to int8.
struct Activations {
  Tensor floats;
  QuantizedRows quantized = {};
};

// Sixteen columns of a product for some rows of what a projection reads: tile [rows, 16].
struct PanelProduct {
  const Linear* linear;
  int64_t panel;
  int64_t first_row;
  float* tile;
};

// One expert's part of a batch: its rows of the input, and of the products between its projections.
struct ExpertRows {
  const GatedProjections* mlp;
  int64_t first_input;
  int64_t first_product;
  int64_t rows;
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
  Tensor attention(Tensor q, Tensor k, Tensor v, const Batch& batch, int layer) override;
  void add(Tensor x, Tensor y) override;
  Tensor silu_mul(Tensor gate, Tensor up) override;
  Tensor gather(Tensor x, std::span<const int32_t> rows) override;
  void scatter_add(Tensor x, std::span<const int32_t> rows, std::span<const float> weights,
                   Tensor y) override;
  Routes route(Tensor logits, int64_t top_k, bool renormalise) override;
  Tensor zeros(int64_t rows, int64_t cols) override;
  void add_linear(Tensor x, Tensor y, const Linear& a) override;
  void add_gated(Tensor x, Tensor h, const GatedProjections& mlp) override;
  void add_mixture(Tensor x, Tensor h, std::span<const GatedProjections> experts,
                   const Routes& routes) override;

 protected:
  void linear_into(Tensor x, std::span<const Linear* const> weights, std::span<Tensor> outputs) override;
  uint64_t scratch_mark() const override { return arena_.used(); }
  void release_scratch(uint64_t mark) override { arena_.reset_to(mark); }

 private:
  CpuOps(const KernelTable& kernels, ThreadPool& threads) : kernels_(kernels), threads_(threads) {}
  Tensor make(int64_t rows, int64_t cols);
  QuantizedRows make_quantized(int64_t rows, int64_t cols);
  QuantizedRows quantize(Tensor x);
  void project(const Activations& x, int64_t rows, const PanelProduct& product) const;
  void project_two(const Activations& x, int64_t rows, const PanelProduct& a, const PanelProduct& b) const;
  void linear_panel(const Activations& x, const Linear& linear, int64_t panel, Tensor output, bool add) const;
  void two_linear_panels(const Activations& x, const Linear& linear, int64_t panel, Tensor output,
                         bool add) const;
  void run_linears(const Activations& x, std::span<const Linear* const> weights,
                   std::span<const Tensor> outputs, bool add);
  void gate_products(const Activations& h, std::span<const ExpertRows> experts, const Activations& products);
  void gate_columns(const Activations& h, const ExpertRows& expert, int64_t group,
                    const Activations& products) const;
  std::span<ExpertRows> bucket(std::span<const GatedProjections> experts, const Routes& routes,
                               int32_t* tokens, float* weights);
  Activations gather_inputs(const Activations& h, bool with_floats, std::span<const int32_t> tokens);
  Activations make_products(int64_t rows, std::span<const ExpertRows> experts);
  void add_experts(Tensor x, const Activations& products, std::span<const ExpertRows> experts,
                   const int32_t* tokens, const float* weights);
  void add_expert_columns(Tensor sums, const Activations& products, const ExpertRows& expert, int64_t panel,
                          const int32_t* tokens, const float* weights) const;
  void add_two_experts(Tensor sums, const Activations& products, std::span<const ExpertRows> two,
                       int64_t panel, const int32_t* tokens, const float* weights) const;
  void store(const AttentionCall& call);
  void store_head(const AttentionCall& call, int64_t row) const;
  void store_row(const KvView& kv, const float* row, std::byte* page, int64_t slot, bool is_key) const;
  Status reserve_attention(int64_t max_slots, int64_t group, int64_t head_dim);
  float* attention_memory(int thread) const {
    return reinterpret_cast<float*>(attention_memory_.data()) + thread * attention_floats_;
  }
  static int64_t tile_spans(const AttentionCall& call, const TileOfRun& tile);
  static int64_t first_row(const AttentionCall& call, const TileOfRun& tile);
  static void finish(const AttentionCall& call, const TileOfRun& tile, const AttentionSums& sums);
  void attend(const AttentionCall& call, const TileOfRun& tile, int thread) const;
  AttentionTile open(const AttentionCall& call, const TileOfRun& tile, int thread) const;
  void attend_span(const AttentionCall& call, const TileOfRun& tile, int64_t span, AttentionTile work) const;

  const KernelTable& kernels_;
  ThreadPool& threads_;
  Arena arena_;
  // [threads]: the scratch of the largest tile, its rounded queries, its sums so far, those of a span.
  PageMemory attention_memory_;
  int64_t attention_floats_ = 0;
  int64_t query_floats_ = 0;
  PageMemory span_memory_;  // [kTilesAThread * threads][spans of the longest sequence]: sums
  int64_t span_floats_ = 0;
  int64_t max_spans_ = 0;
};

}  // namespace ink
