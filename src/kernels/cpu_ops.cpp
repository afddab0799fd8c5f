// See kernels/cpu_ops.h; the operations are defined in kernels/ops.h.
#include "kernels/cpu_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

namespace ink {
namespace {

// Tokens that attention takes at once, with all their heads of a group: 32 rows of 128 floats, once for q and
// once for the sums, and a page of keys and values fit into a second-level cache of 256 KiB, and widening a
// page costs a few per cent of what is done with it.
int64_t tile_tokens(int64_t group) { return std::max<int64_t>(1, 32 / group); }

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

// A row rounded and taken apart into the pairs of a page of integers, and its scale.
template <typename Element>
void store_integers(const KernelTable& kernels, const KvView& kv, const float* row, std::byte* page,
                    int64_t slot, bool is_key) {
  const int64_t dim = kv.head_dim;
  const IntegerLimits limits = integer_limits(kv.type, dim);
  int16_t rounded[kMostHeadDim];
  const float scale = kernels.round_row(row, dim, is_key ? limits.key : limits.value, rounded);
  auto* elements = reinterpret_cast<Element*>(page);
  if (is_key) {
    elements += integer_key_place(slot, 0);
    for (int64_t d = 0; d < dim; d += 2, elements += integer_key_place(0, 2)) {
      elements[0] = static_cast<Element>(rounded[d]);
      elements[1] = static_cast<Element>(rounded[d + 1]);
    }
  } else {
    elements += integer_value_place(slot, 0, dim);
    for (int64_t d = 0; d < dim; ++d) elements[2 * d] = static_cast<Element>(rounded[d]);
  }
  std::memcpy(page + kv.page_bytes() + (slot - kKvPageTokens) * 4, &scale, sizeof scale);
}

}  // namespace

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
  threads_.parallel_for(x.rows, rows_worth_a_thread(x.cols), [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      kernels_.rms_norm_row(x.row(r), norm.weight, x.cols, norm.epsilon, y.row(r));
    }
  });
  return y;
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
  threads_.parallel_for(x.rows, rows_worth_a_thread(x.cols), [&](int64_t begin, int64_t end, int) {
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
  threads_.parallel_for(tokens, rows_worth_a_thread(kv.kv_heads * kv.head_dim),
                        [&](int64_t begin, int64_t end, int) {
                          // Head after head: the slots of a page follow each other.
                          for (int64_t h = 0; h < kv.kv_heads; ++h) {
                            for (int64_t t = begin; t < end; ++t) {
                              const auto token = static_cast<size_t>(t);
                              const int32_t slot = batch.slots[token];
                              const int32_t page = kv.pages[static_cast<size_t>(batch.sequences[token])]
                                                           [static_cast<size_t>(slot / kKvPageTokens)];
                              const int64_t row = t * kv.kv_heads + h;
                              const int64_t place = kv.place(layer, h, page);
                              if (rotates_keys(kv.type, kv.head_dim))
                                kernels_.rotate_row(k.row(row), kv.head_dim);
                              store_row(kv, k.row(row), kv.keys + place, slot % kKvPageTokens, true);
                              store_row(kv, v.row(row), kv.values + place, slot % kKvPageTokens, false);
                            }
                          }
                        });
}

// One row of keys or values into its slot of a page.
void CpuOps::store_row(const KvView& kv, const float* row, std::byte* page, int64_t slot, bool is_key) const {
  const int64_t dim = kv.head_dim;
  switch (kv.type) {
    case KvType::kF32:
      std::memcpy(page + slot * dim * 4, row, static_cast<size_t>(dim) * sizeof(float));
      break;
    case KvType::kF16:
      kernels_.to_f16(row, dim, reinterpret_cast<uint16_t*>(page) + slot * dim);
      break;
    case KvType::kInt16:
      store_integers<int16_t>(kernels_, kv, row, page, slot, is_key);
      break;
    case KvType::kInt8:
      store_integers<int8_t>(kernels_, kv, row, page, slot, is_key);
      break;
  }
}

Tensor CpuOps::attention(Tensor q, const Batch& batch, int layer) {
  const KvView& kv = batch.kv;
  const auto tokens = static_cast<int64_t>(batch.tokens.size());
  const int64_t group = q.rows / tokens / kv.kv_heads;  // query heads that share a key/value head
  const Tensor out = make(q.rows, q.cols);
  const std::vector<TokenRun> runs = attention_runs(batch, tile_tokens(group));
  const int64_t longest = *std::max_element(batch.slots.begin(), batch.slots.end()) + 1;
  const int64_t work = 2 * group * longest * kv.head_dim * kFloatCost;
  const int64_t enough = std::max<int64_t>(1, kWorthAThread / work);
  const auto tiles = static_cast<int64_t>(runs.size());
  // Head after head: what one tile read of the cache is still near when the next one reads it.
  threads_.parallel_for(tiles * kv.kv_heads, enough, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t item = begin; item < end; ++item)
      attend(q, batch, layer, runs[static_cast<size_t>(item % tiles)], item / tiles, thread, out);
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
    const int64_t place = kv.place(layer, kv_head, pages[static_cast<size_t>(i)]);
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
  threads_.parallel_for(x.rows, rows_worth_a_thread(x.cols), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * x.cols; i < end * x.cols; ++i) x.data[i] += y.data[i];
  });
}

Tensor CpuOps::silu_mul(Tensor gate, Tensor up) {
  const Tensor out = make(gate.rows, gate.cols);
  threads_.parallel_for(gate.rows, rows_worth_a_thread(gate.cols), [&](int64_t begin, int64_t end, int) {
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

}  // namespace ink
