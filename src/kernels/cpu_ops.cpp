// See kernels/cpu_ops.h; the operations are defined in kernels/ops.h.
#include "kernels/cpu_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

namespace ink {
namespace {

// Rows that a panel serves before the next panel is read: 64 rows of 4,096 int8 activations are half of a 512
// KiB second-level cache.
constexpr int64_t kRowTile = 64;

int64_t panels_of(const PackedMatrix& matrix) { return (matrix.rows + kPanelRows - 1) / kPanelRows; }

// A piece of work for small regions: at least this many floats are worth waking a thread for.
int64_t rows_per_chunk(int64_t cols) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, cols)); }

// Tokens that attention takes at once, with all their heads of a group: 32 rows of 128 floats, once for q and
// once for the sums, and a page of keys and values fit into a second-level cache of 256 KiB, and widening a
// page costs a few per cent of what is done with it.
int64_t tile_tokens(int64_t group) { return std::max<int64_t>(1, 32 / group); }

// Multiplications (of weights, or of keys and values) that are worth waking a thread for: some 10 µs of work.
// A model of a few million parameters decodes on its caller alone, and faster for it.
constexpr int64_t kWorthAThread = 262144;

// Runs of tokens that attention takes as one tile: consecutive slots of one sequence.
std::vector<TokenRun> attention_runs(const Batch& batch, int64_t most) {
  std::vector<TokenRun> runs;
  for (size_t t = 0; t < batch.tokens.size(); ++t) {
    const bool goes_on = t > 0 && runs.back().tokens < most && batch.sequences[t] == batch.sequences[t - 1] &&
                         batch.slots[t] == batch.slots[t - 1] + 1;
    if (!goes_on) runs.push_back({static_cast<int64_t>(t), 0});
    ++runs.back().tokens;
  }
  return runs;
}

}  // namespace

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

Result<std::unique_ptr<CpuOps>> CpuOps::create(const KernelTable& kernels, ThreadPool& threads,
                                               uint64_t scratch_bytes, int64_t max_slots, int64_t group,
                                               int64_t head_dim) {
  std::unique_ptr<CpuOps> ops(new CpuOps(kernels, threads));
  auto arena = PageMemory::reserve(scratch_bytes);
  if (!arena.ok()) return arena.error();
  ops->arena_ = Arena(std::move(*arena));

  const auto pool = static_cast<uint64_t>(threads.size());
  ops->attention_floats_ = attention_scratch_floats(tile_tokens(group) * group, head_dim);
  auto scratch = PageMemory::reserve(pool * static_cast<uint64_t>(ops->attention_floats_) * sizeof(float));
  if (!scratch.ok()) return scratch.error();
  ops->attention_scratch_ = std::move(*scratch);

  ops->pages_per_thread_ = (max_slots + kKvPageTokens - 1) / kKvPageTokens;
  auto pointers =
      PageMemory::reserve(pool * 2 * static_cast<uint64_t>(ops->pages_per_thread_) * sizeof(std::byte*));
  if (!pointers.ok()) return pointers.error();
  ops->page_pointers_ = std::move(*pointers);
  return ops;
}

Tensor CpuOps::make(int64_t rows, int64_t cols) { return {arena_.allocate<float>(rows * cols), rows, cols}; }

Tensor CpuOps::zeros(int64_t rows, int64_t cols) {
  const Tensor x = make(rows, cols);
  std::fill_n(x.data, rows * cols, 0.0f);
  return x;
}

Tensor CpuOps::embed(const WeightRows& table, std::span<const int32_t> ids) {
  const Tensor x = make(static_cast<int64_t>(ids.size()), table.cols());
  for (int64_t i = 0; i < x.rows; ++i) {
    const int32_t id = ids[static_cast<size_t>(i)];
    INK_CHECK(id >= 0 && id < table.rows(), "token ids are checked before a step");
    table.read_floats(id, x.row(i));
  }
  return x;
}

Tensor CpuOps::rms_norm(Tensor x, const Norm& norm) {
  const Tensor y = make(x.rows, x.cols);
  threads_.parallel_for(x.rows, rows_per_chunk(x.cols), [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      kernels_.rms_norm_row(x.row(r), norm.weight, x.cols, norm.epsilon, y.row(r));
    }
  });
  return y;
}

QuantizedRows CpuOps::quantize(Tensor x) {
  QuantizedRows rows{arena_.allocate<int8_t>(x.rows * x.cols),
                     arena_.allocate<float>(x.rows * x.cols / kGroup),
                     arena_.allocate<int32_t>(x.rows * x.cols / 16), x.cols};
  threads_.parallel_for(x.rows, rows_per_chunk(x.cols), [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      kernels_.quantize_row(x.row(r), x.cols, rows.q + r * x.cols, rows.scale + r * (x.cols / kGroup),
                            rows.sum16 + r * (x.cols / 16));
    }
  });
  return rows;
}

void CpuOps::run_panels(Tensor x, const QuantizedRows& quantized, const PackedMatrix& weight,
                        int64_t first_row, int64_t rows, int64_t panel, float* out) const {
  const std::byte* data = weight.panel(panel);
  switch (weight.weight_class) {
    case WeightClass::kF32:
      return kernels_.panel_f32(x.row(first_row), rows, x.cols, data, out);
    case WeightClass::kF16:
      return kernels_.panel_f16(x.row(first_row), rows, x.cols, data, out);
    case WeightClass::kBF16:
      return kernels_.panel_bf16(x.row(first_row), rows, x.cols, data, out);
    default:
      return kernels_.integer_panel(weight.weight_class)(quantized, first_row, rows, data,
                                                         weight.panel_scales(panel), out);
  }
}

// Sixteen columns of the output for all rows.
void CpuOps::linear_panel(Tensor x, const QuantizedRows& quantized, const Linear& linear, int64_t panel,
                          Tensor output) const {
  const int64_t first_col = panel * kPanelRows;
  const int64_t cols = std::min<int64_t>(kPanelRows, output.cols - first_col);
  alignas(64) float tile[kRowTile * kPanelRows];
  for (int64_t first = 0; first < x.rows; first += kRowTile) {
    const int64_t rows = std::min(kRowTile, x.rows - first);
    run_panels(x, quantized, *linear.weight, first, rows, panel, tile);
    for (int64_t r = 0; r < rows; ++r) {
      float* out = output.row(first + r) + first_col;
      for (int64_t n = 0; n < cols; ++n) {
        const float sum = tile[r * kPanelRows + n];
        out[n] = linear.bias != nullptr ? sum + linear.bias[first_col + n] : sum;
      }
    }
  }
}

void CpuOps::linear_into(Tensor x, std::span<const Linear* const> weights, std::span<Tensor> outputs) {
  int64_t panels = 0;
  bool integers = false;
  for (size_t i = 0; i < weights.size(); ++i) {
    INK_CHECK(weights[i]->weight->cols == x.cols, "shapes are checked when a model is loaded");
    outputs[i] = make(x.rows, weights[i]->weight->rows);
    panels += panels_of(*weights[i]->weight);
    integers = integers || is_integer_class(weights[i]->weight->weight_class);
  }
  const Scope quantized_lives_here(*this);
  const QuantizedRows quantized = integers ? quantize(x) : QuantizedRows{};
  // About eight pieces a thread: enough to even out unequal cores, few enough to keep streams long.
  const int64_t least = kWorthAThread / std::max<int64_t>(1, kPanelRows * x.cols * x.rows);
  const int64_t chunk = std::max({int64_t{1}, least, panels / (8 * threads_.size())});
  threads_.parallel_for(panels, chunk, [&](int64_t begin, int64_t end, int) {
    for (int64_t p = begin; p < end; ++p) {
      int64_t panel = p;
      size_t i = 0;
      while (panel >= panels_of(*weights[i]->weight)) panel -= panels_of(*weights[i++]->weight);
      linear_panel(x, quantized, *weights[i], panel, outputs[i]);
    }
  });
}

RotaryRows CpuOps::rotary_rows(const Rotary& rotary, std::span<const int32_t> positions) {
  const auto half_dim = static_cast<int64_t>(rotary.inv_freq.size());
  const auto tokens = static_cast<int64_t>(positions.size());
  float* cos = arena_.allocate<float>(tokens * half_dim);
  float* sin = arena_.allocate<float>(tokens * half_dim);
  for (int64_t t = 0; t < tokens; ++t) {
    const auto position = static_cast<float>(positions[static_cast<size_t>(t)]);
    for (int64_t i = 0; i < half_dim; ++i) {
      const float angle = position * rotary.inv_freq[static_cast<size_t>(i)];
      cos[t * half_dim + i] = std::cos(angle) * rotary.magnitude;
      sin[t * half_dim + i] = std::sin(angle) * rotary.magnitude;
    }
  }
  return {cos, sin, tokens, half_dim};
}

void CpuOps::rope(Tensor x, const RotaryRows& rotary) {
  const int64_t half = rotary.half_dim;
  INK_CHECK(x.cols == 2 * half, "rope rotates whole heads");
  const int64_t heads_per_token = x.rows / rotary.tokens;
  threads_.parallel_for(x.rows, rows_per_chunk(x.cols), [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t token = r / heads_per_token;
      const float* cos = rotary.cos + token * half;
      const float* sin = rotary.sin + token * half;
      float* low = x.row(r);
      float* high = low + half;
      for (int64_t i = 0; i < half; ++i) {
        const float a = low[i];
        const float b = high[i];
        low[i] = a * cos[i] - b * sin[i];
        high[i] = b * cos[i] + a * sin[i];
      }
    }
  });
}

void CpuOps::store(const Batch& batch, int layer, Tensor k, Tensor v) {
  const KvView& kv = batch.kv;
  const auto tokens = static_cast<int64_t>(batch.tokens.size());
  threads_.parallel_for(tokens, rows_per_chunk(kv.kv_heads * kv.head_dim),
                        [&](int64_t begin, int64_t end, int) {
                          for (int64_t t = begin; t < end; ++t) {
                            const auto token = static_cast<size_t>(t);
                            const int32_t slot = batch.slots[token];
                            const int32_t page = kv.pages[static_cast<size_t>(batch.sequences[token])]
                                                         [static_cast<size_t>(slot / kKvPageTokens)];
                            const int64_t place = layer * kv.layer_stride + page * kv.page_bytes();
                            for (int64_t h = 0; h < kv.kv_heads; ++h) {
                              const int64_t row = t * kv.kv_heads + h;
                              const int64_t head = place + h * kv.head_bytes();
                              if (rotates_keys(kv.type, kv.head_dim)) hadamard(k.row(row), kv.head_dim);
                              store_row(kv, k.row(row), kv.keys + head, slot % kKvPageTokens);
                              store_row(kv, v.row(row), kv.values + head, slot % kKvPageTokens);
                            }
                          }
                        });
}

// One row of keys or values into its slot of a page.
void CpuOps::store_row(const KvView& kv, const float* row, std::byte* page, int64_t slot) const {
  const int64_t dim = kv.head_dim;
  switch (kv.type) {
    case KvType::kF32:
      std::memcpy(page + slot * dim * 4, row, static_cast<size_t>(dim) * sizeof(float));
      break;
    case KvType::kF16:
      kernels_.to_f16(row, dim, reinterpret_cast<uint16_t*>(page) + slot * dim);
      break;
    case KvType::kInt8: {
      const float scale = round_kv_row(row, dim, reinterpret_cast<int8_t*>(page) + slot * dim);
      std::memcpy(page + kKvPageTokens * dim + slot * 4, &scale, sizeof scale);
      break;
    }
  }
}

Tensor CpuOps::attention(Tensor q, const Batch& batch, int layer) {
  const KvView& kv = batch.kv;
  const auto tokens = static_cast<int64_t>(batch.tokens.size());
  const int64_t group = q.rows / tokens / kv.kv_heads;  // query heads that share a key/value head
  const Tensor out = make(q.rows, q.cols);
  const std::vector<TokenRun> runs = attention_runs(batch, tile_tokens(group));
  const int64_t longest = *std::max_element(batch.slots.begin(), batch.slots.end()) + 1;
  const int64_t chunk = std::max<int64_t>(1, kWorthAThread / (2 * group * longest * kv.head_dim));
  const auto items = static_cast<int64_t>(runs.size()) * kv.kv_heads;
  threads_.parallel_for(items, chunk, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t item = begin; item < end; ++item) {
      const TokenRun& run = runs[static_cast<size_t>(item / kv.kv_heads)];
      attend(q, batch, layer, run, item % kv.kv_heads, thread, out);
    }
  });
  return out;
}

// One tile: the tokens of a run with the query heads of one key/value head.
void CpuOps::attend(Tensor q, const Batch& batch, int layer, const TokenRun& run, int64_t kv_head, int thread,
                    Tensor out) const {
  const KvView& kv = batch.kv;
  const auto first = static_cast<size_t>(run.first);
  const auto pages = kv.pages[static_cast<size_t>(batch.sequences[first])];
  const int64_t first_length = batch.slots[first] + 1;
  auto** k_pages =
      reinterpret_cast<const std::byte**>(page_pointers_.data()) + thread * 2 * pages_per_thread_;
  const std::byte** v_pages = k_pages + pages_per_thread_;
  for (int64_t i = 0; i * kKvPageTokens < first_length + run.tokens - 1; ++i) {
    const int64_t place =
        layer * kv.layer_stride + pages[static_cast<size_t>(i)] * kv.page_bytes() + kv_head * kv.head_bytes();
    k_pages[i] = kv.keys + place;
    v_pages[i] = kv.values + place;
  }
  const int64_t heads_per_token = q.rows / static_cast<int64_t>(batch.tokens.size());
  const int64_t group = heads_per_token / kv.kv_heads;
  const int64_t row = run.first * heads_per_token + kv_head * group;
  kernels_.attend(
      {.q = q.row(row),
       .out = out.row(row),
       .token_stride = heads_per_token * kv.head_dim,
       .tokens = run.tokens,
       .heads = group,
       .head_dim = kv.head_dim,
       .type = kv.type,
       .k_pages = k_pages,
       .v_pages = v_pages,
       .first_length = first_length,
       .scale = 1.0f / std::sqrt(static_cast<float>(kv.head_dim)),
       .scratch = reinterpret_cast<float*>(attention_scratch_.data()) + thread * attention_floats_});
}

void CpuOps::add(Tensor x, Tensor y) {
  threads_.parallel_for(x.rows, rows_per_chunk(x.cols), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * x.cols; i < end * x.cols; ++i) x.data[i] += y.data[i];
  });
}

Tensor CpuOps::silu_mul(Tensor gate, Tensor up) {
  const Tensor out = make(gate.rows, gate.cols);
  threads_.parallel_for(gate.rows, rows_per_chunk(gate.cols), [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) kernels_.silu_mul(gate.row(r), up.row(r), gate.cols, out.row(r));
  });
  return out;
}

Tensor CpuOps::gather(Tensor x, std::span<const int32_t> rows) {
  const Tensor out = make(static_cast<int64_t>(rows.size()), x.cols);
  for (int64_t i = 0; i < out.rows; ++i) {
    std::memcpy(out.row(i), x.row(rows[static_cast<size_t>(i)]), static_cast<size_t>(x.cols) * sizeof(float));
  }
  return out;
}

void CpuOps::scatter_add(Tensor x, std::span<const int32_t> rows, std::span<const float> weights, Tensor y) {
  for (int64_t i = 0; i < y.rows; ++i) {
    float* target = x.row(rows[static_cast<size_t>(i)]);
    const float* source = y.row(i);
    const float weight = weights[static_cast<size_t>(i)];
    for (int64_t c = 0; c < y.cols; ++c) target[c] += weight * source[c];
  }
}

Routes CpuOps::route(Tensor logits, int64_t top_k, bool renormalise) {
  auto* expert = arena_.allocate<int32_t>(logits.rows * top_k);
  auto* weight = arena_.allocate<float>(logits.rows * top_k);
  for (int64_t t = 0; t < logits.rows; ++t) {
    float* p = logits.row(t);  // becomes the probabilities; the logits are not needed again
    const float largest = *std::max_element(p, p + logits.cols);
    float sum = 0.0f;
    for (int64_t e = 0; e < logits.cols; ++e) sum += (p[e] = std::exp(p[e] - largest));
    for (int64_t e = 0; e < logits.cols; ++e) p[e] /= sum;

    int32_t* chosen = expert + t * top_k;
    float* share = weight + t * top_k;
    float total = 0.0f;
    for (int64_t i = 0; i < top_k; ++i) {
      // max_element gives the first of equals: the lower number wins. A chosen one is marked by -1.
      const int64_t best = std::max_element(p, p + logits.cols) - p;
      chosen[i] = static_cast<int32_t>(best);
      share[i] = p[best];
      total += p[best];
      p[best] = -1.0f;
    }
    for (int64_t i = 0; renormalise && i < top_k; ++i) share[i] /= total;
  }
  return {expert, weight, logits.rows, top_k};
}

}  // namespace ink
