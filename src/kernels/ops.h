// START HERE. The operations a Qwen3 block is made of: each with its shapes and its formula. Ops is an
// executor: CpuOps runs at once, a GPU's would record. There is no graph language; the model's forward is the
// program.
//
// Activations are f32 and row-major. Tensors made by an op live until the scope in which they were made ends.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "kernels/attention.h"
#include "kernels/pack.h"

namespace ink {

// f32 [rows, cols], contiguous; a view, never an owner.
struct Tensor {
  float* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;

  float* row(int64_t index) const { return data + index * cols; }
};

// The same numbers seen as one row per head, and back.
inline Tensor heads(Tensor x, int64_t head_dim) { return {x.data, x.rows * (x.cols / head_dim), head_dim}; }
inline Tensor flat(Tensor x, int64_t tokens) { return {x.data, tokens, x.cols * (x.rows / tokens)}; }

// A projection: weight [out, in] and, where the checkpoint has one, a bias [out].
struct Linear {
  const PackedMatrix* weight = nullptr;
  const float* bias = nullptr;
};

// A gated feed-forward, down(silu(gate(h)) * up(h)) (SwiGLU, Shazeer 2020): a layer's, or one expert's.
struct GatedProjections {
  Linear gate_proj;  // [intermediate, hidden]
  Linear up_proj;    // [intermediate, hidden]
  Linear down_proj;  // [hidden, intermediate]
};

// A norm's weight [cols] with its epsilon.
struct Norm {
  const float* weight = nullptr;
  float epsilon = 1e-6f;
};

// Rotary frequencies of a model: angle of pair i at position p is p * inv_freq[i]; cosine and sine are
// multiplied by `magnitude` (YaRN's attention factor, else 1).
struct Rotary {
  std::span<const float> inv_freq;  // [head_dim / 2]
  float magnitude = 1.0f;
};

// Cosines and sines for the tokens of a batch, made once and used by every layer.
struct RotaryRows {
  const float* cos = nullptr;  // [tokens, head_dim / 2]
  const float* sin = nullptr;
  int64_t tokens = 0;
  int64_t half_dim = 0;
};

// The keys and values that a batch reads and writes: pages in a pool, and for each sequence the list of its
// pages. Who owns pages and when they are shared or dropped is the runtime's policy (runtime/kv_cache);
// models see this.
struct KvView {
  // [layers, kv_heads, pool_pages] of kv_page_bytes(type, head_dim): attention reads the pages of one head
  // after each other, and pages taken after each other stand so in memory.
  std::byte* keys = nullptr;
  std::byte* values = nullptr;
  KvType type = KvType::kF32;
  int64_t pool_pages = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  std::span<const std::span<const int32_t>> pages;  // [sequences][slot / kKvPageTokens] → page in the pool

  int64_t page_bytes() const { return kv_page_bytes(type, head_dim); }
  // Where a page of one head begins, in keys and in values.
  int64_t place(int64_t layer, int64_t kv_head, int64_t page) const {
    return ((layer * kv_heads + kv_head) * pool_pages + page) * page_bytes();
  }
};

// The tokens of one step, of one or more sequences, each sequence's in order. Prefill, decode and mixtures
// are the same to a model.
struct Batch {
  std::span<const int32_t> tokens;     // [n] ids
  std::span<const int32_t> positions;  // [n] rotary positions
  std::span<const int32_t> sequences;  // [n] index into kv.pages
  std::span<const int32_t> slots;      // [n] place in the sequence's cache; the token sees slots 0 .. itself
  std::span<const int32_t> output_rows;  // rows whose logits are wanted
  KvView kv;
};

// The experts chosen for each token, best first; ties go to the lower number.
struct Routes {
  const int32_t* expert = nullptr;  // [tokens, top_k]
  const float* weight = nullptr;    // [tokens, top_k]
  int64_t tokens = 0;
  int64_t top_k = 0;
};

class Ops {
 public:
  virtual ~Ops() = default;

  // Every tensor made while a Scope lives dies with it.
  class Scope {
   public:
    explicit Scope(Ops& ops) : ops_(ops), mark_(ops.scratch_mark()) {}
    ~Scope() { ops_.release_scratch(mark_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Ops& ops_;
    uint64_t mark_;
  };
  [[nodiscard]] Scope scope() { return Scope(*this); }

  // Rows of the embedding table [vocabulary, hidden], read in place from the file: ids [n] → [n, hidden]. Ids
  // must be inside the table.
  virtual Tensor embed(const WeightRows& table, std::span<const int32_t> ids) = 0;

  // x / sqrt(mean(x^2) + epsilon) * weight, for each row (Zhang & Sennrich 2019).
  virtual Tensor rms_norm(Tensor x, const Norm& norm) = 0;

  // x [n, in] times each weight [out, in] transposed, plus bias: one pass over x, one activation
  // quantization.
  Tensor linear(Tensor x, const Linear& a);
  std::array<Tensor, 2> linear(Tensor x, const Linear& a, const Linear& b);
  std::array<Tensor, 3> linear(Tensor x, const Linear& a, const Linear& b, const Linear& c);

  // Cosines and sines for the positions [n].
  virtual RotaryRows rotary_rows(const Rotary& rotary, std::span<const int32_t> positions) = 0;
  // Rotates x [tokens * heads, head_dim] in place: pairs (i, i + head_dim / 2) by the token's angles (Su et
  // al. 2021, the half-split form of GPT-NeoX).
  virtual void rope(Tensor x, const RotaryRows& rotary) = 0;

  // Causal grouped-query attention: k and v [tokens * kv_heads, head_dim] go to the batch's slots of `layer`,
  // then softmax(q k^T / sqrt(head_dim)) v over the slots each token sees. q [tokens * heads, head_dim] → the
  // same shape. Query head h reads key/value head h / (heads / kv_heads). k is used up.
  virtual Tensor attention(Tensor q, Tensor k, Tensor v, const Batch& batch, int layer) = 0;

  // x += y.
  virtual void add(Tensor x, Tensor y) = 0;
  // silu(gate) * up, elementwise.
  virtual Tensor silu_mul(Tensor gate, Tensor up) = 0;

  // The chosen rows of x, in the order given.
  virtual Tensor gather(Tensor x, std::span<const int32_t> rows) = 0;
  // x[rows[i]] += weights[i] * y[i]; a row may occur once.
  virtual void scatter_add(Tensor x, std::span<const int32_t> rows, std::span<const float> weights,
                           Tensor y) = 0;
  // Softmax over all experts of each row of logits [n, experts], then the top_k largest; renormalised to sum
  // 1 if asked.
  virtual Routes route(Tensor logits, int64_t top_k, bool renormalise) = 0;
  virtual Tensor zeros(int64_t rows, int64_t cols) = 0;

  // What a block ends with. Here they are put together from the operations above, which defines them; an
  // executor may do each in fewer passes, to the same bits.
  //
  // x += linear(y, a).
  virtual void add_linear(Tensor x, Tensor y, const Linear& a);
  // x += down(silu(gate(h)) * up(h)), with x and h [n, hidden].
  virtual void add_gated(Tensor x, Tensor h, const GatedProjections& mlp);
  // x += the sum over each token's experts, in ascending order of their numbers, of weight *
  // down(silu(gate(h)) * up(h)). All experts have the same shapes.
  virtual void add_mixture(Tensor x, Tensor h, std::span<const GatedProjections> experts,
                           const Routes& routes);

 protected:
  virtual void linear_into(Tensor x, std::span<const Linear* const> weights, std::span<Tensor> outputs) = 0;
  virtual uint64_t scratch_mark() const = 0;
  virtual void release_scratch(uint64_t mark) = 0;
};

}  // namespace ink
