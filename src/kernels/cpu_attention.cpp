// Keys and values into the cache, and attention over it: see kernels/cpu_ops.h.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu_ops.h"

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

// What a row to be stored counts beside one that is only worked on: of a key, each pair of columns stands in
// a line of memory of its own, and none of them is near.
constexpr int64_t kStoreCost = 32;

constexpr int64_t spans_of(int64_t slots) { return (slots + kSpanTokens - 1) / kSpanTokens; }

constexpr int64_t sums_floats(int64_t rows, int64_t head_dim) { return rows * (padded_dim(head_dim) + 2); }

AttentionSums sums_at(float* memory, int64_t rows, int64_t head_dim) {
  float* largest = memory + rows * padded_dim(head_dim);
  return {memory, largest, largest + rows};
}

// Adds what rows made of a later span. A row that saw nothing of it stays as it is.
void merge(const AttentionSums& later, int64_t rows, int64_t padded, KvType type, const AttentionSums& sums) {
  const auto power = [type](float x) { return is_integer_type(type) ? std::exp2(x) : std::exp(x); };
  for (int64_t r = 0; r < rows; ++r) {
    if (later.weight[r] == 0.0f) continue;
    const float largest = std::max(sums.largest[r], later.largest[r]);
    const float factor = power(sums.largest[r] - largest);
    const float later_factor = power(later.largest[r] - largest);
    for (int64_t d = r * padded; d < (r + 1) * padded; ++d)
      sums.values[d] = sums.values[d] * factor + later.values[d] * later_factor;
    sums.weight[r] = sums.weight[r] * factor + later.weight[r] * later_factor;
    sums.largest[r] = largest;
  }
}

}  // namespace

void round_queries(const KernelTable& kernels, const AttentionTile& tile, int16_t* rounded, float* scales) {
  const int limit = integer_limits(tile.type, tile.head_dim).query;
  for (int64_t r = 0; r < tile.tokens * tile.heads; ++r) {
    const float* q = tile.q + r / tile.heads * tile.token_stride + r % tile.heads * tile.head_dim;
    std::copy_n(q, tile.head_dim, tile.scratch);
    if (rotates_keys(tile.type, tile.head_dim)) kernels.rotate_row(tile.scratch, tile.head_dim);
    for (int64_t d = 0; d < tile.head_dim; ++d) tile.scratch[d] *= tile.scale * kLog2E;
    scales[r] =
        kernels.round_row(tile.scratch, tile.head_dim, limit, rounded + r * padded_dim(tile.head_dim));
  }
}

Status CpuOps::reserve_attention(int64_t max_slots, int64_t group, int64_t head_dim) {
  const auto threads = static_cast<int64_t>(threads_.size());
  const int64_t rows = tile_tokens(group) * group;
  query_floats_ = rows * (1 + padded_dim(head_dim) / 2);
  span_floats_ = sums_floats(rows, head_dim);
  attention_floats_ = attention_scratch_floats(rows, head_dim) + query_floats_ + 2 * span_floats_;
  max_spans_ = spans_of(max_slots);
  const auto reserve = [](int64_t floats, PageMemory& memory) -> Status {
    auto reserved = PageMemory::reserve(static_cast<uint64_t>(floats) * sizeof(float));
    if (!reserved.ok()) return reserved.error();
    memory = std::move(*reserved);
    return Done{};
  };
  if (auto done = reserve(threads * attention_floats_, attention_memory_); !done.ok()) return done;
  return reserve(kTilesAThread * threads * max_spans_ * span_floats_, span_memory_);
}

// The keys and values of all tokens, head after head: the slots of a page follow each other.
void CpuOps::store(const AttentionCall& call) {
  const auto tokens = static_cast<int64_t>(call.batch.tokens.size());
  const int64_t heads = call.batch.kv.kv_heads;
  threads_.parallel_for(heads * tokens, rows_worth_a_thread(kStoreCost * call.batch.kv.head_dim),
                        [&](int64_t begin, int64_t end, int) {
                          for (int64_t i = begin; i < end; ++i)
                            store_head(call, i % tokens * heads + i / tokens);
                        });
}

// A row of k, rotated in place, and of v into their slot.
void CpuOps::store_head(const AttentionCall& call, int64_t row) const {
  const Batch& batch = call.batch;
  const KvView& kv = batch.kv;
  const auto token = static_cast<size_t>(row / kv.kv_heads);
  const int32_t slot = batch.slots[token];
  const auto pages = kv.pages[static_cast<size_t>(batch.sequences[token])];
  const int64_t place =
      kv.place(call.layer, row % kv.kv_heads, pages[static_cast<size_t>(slot / kKvPageTokens)]);
  if (rotates_keys(kv.type, kv.head_dim)) kernels_.rotate_row(call.k.row(row), kv.head_dim);
  store_row(kv, call.k.row(row), kv.keys + place, slot % kKvPageTokens, true);
  store_row(kv, call.v.row(row), kv.values + place, slot % kKvPageTokens, false);
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

Tensor CpuOps::attention(Tensor q, Tensor k, Tensor v, const Batch& batch, int layer) {
  const KvView& kv = batch.kv;
  const int64_t heads_per_token = q.rows / static_cast<int64_t>(batch.tokens.size());
  const AttentionCall call = {q, k, v, make(q.rows, q.cols), batch, layer, heads_per_token / kv.kv_heads};
  if (!call.lone_token()) store(call);
  const std::vector<TokenRun> runs = attention_runs(batch, tile_tokens(call.group));
  const auto count = static_cast<int64_t>(runs.size());
  // Head after head: what one tile read of the cache is still near when the next one reads it.
  const int64_t tiles = count * kv.kv_heads;
  const auto tile = [&](int64_t i) { return TileOfRun{runs[static_cast<size_t>(i % count)], i / count}; };
  const int64_t longest = *std::max_element(batch.slots.begin(), batch.slots.end()) + 1;
  const int64_t spans = spans_of(longest);
  const auto worth = [&](int64_t slots) {
    return std::max<int64_t>(1, kWorthAThread / (2 * call.group * slots * kv.head_dim * kFloatCost));
  };
  if (spans == 1 || tiles >= kTilesAThread * threads_.size()) {
    threads_.parallel_for(tiles, worth(longest), [&](int64_t begin, int64_t end, int thread) {
      for (int64_t i = begin; i < end; ++i) attend(call, tile(i), thread);
    });
    return call.out;
  }
  // Fewer tiles than threads want: the spans of a tile are shared out, too.
  const auto sums = [&](int64_t i, int64_t span) {
    float* memory = reinterpret_cast<float*>(span_memory_.data()) + (i * max_spans_ + span) * span_floats_;
    return sums_at(memory, tile(i).run.tokens * call.group, kv.head_dim);
  };
  threads_.parallel_for(tiles * spans, worth(kSpanTokens), [&](int64_t begin, int64_t end, int thread) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t span = i % spans;
      if (span >= tile_spans(call, tile(i / spans))) continue;
      AttentionTile work = open(call, tile(i / spans), thread);
      work.sums = sums(i / spans, span);
      attend_span(call, tile(i / spans), span, work);
    }
  });
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t rows = tile(i).run.tokens * call.group;
    for (int64_t span = 1; span < tile_spans(call, tile(i)); ++span)
      merge(sums(i, span), rows, padded_dim(kv.head_dim), kv.type, sums(i, 0));
    finish(call, tile(i), sums(i, 0));
  }
  return call.out;
}

// Spans that the last token of a tile sees something of.
int64_t CpuOps::tile_spans(const AttentionCall& call, const TileOfRun& tile) {
  return spans_of(call.batch.slots[static_cast<size_t>(tile.run.first + tile.run.tokens - 1)] + 1);
}

// A tile, one span after the other.
void CpuOps::attend(const AttentionCall& call, const TileOfRun& tile, int thread) const {
  const KvView& kv = call.batch.kv;
  const int64_t rows = tile.run.tokens * call.group;
  float* memory = attention_memory(thread) + attention_floats_ - 2 * span_floats_;
  const AttentionSums sums = sums_at(memory, rows, kv.head_dim);
  AttentionTile work = open(call, tile, thread);
  work.sums = sums;
  attend_span(call, tile, 0, work);
  for (int64_t span = 1; span < tile_spans(call, tile); ++span) {
    work.sums = sums_at(memory + span_floats_, rows, kv.head_dim);
    attend_span(call, tile, span, work);
    merge(work.sums, rows, padded_dim(kv.head_dim), kv.type, sums);
  }
  finish(call, tile, sums);
}

// What is the same for all spans of a tile.
AttentionTile CpuOps::open(const AttentionCall& call, const TileOfRun& tile, int thread) const {
  const KvView& kv = call.batch.kv;
  float* memory = attention_memory(thread);
  AttentionTile work = {};
  work.q = call.q.row(first_row(call, tile));
  work.token_stride = call.group * kv.kv_heads * kv.head_dim;
  work.scale = 1.0f / std::sqrt(static_cast<float>(kv.head_dim));
  work.tokens = tile.run.tokens;
  work.heads = call.group;
  work.head_dim = kv.head_dim;
  work.type = kv.type;
  work.scratch = memory;
  if (is_integer_type(kv.type)) {
    float* scales = memory + attention_floats_ - 2 * span_floats_ - query_floats_;
    auto* rounded = reinterpret_cast<int16_t*>(scales + work.tokens * work.heads);
    round_queries(kernels_, work, rounded, scales);
    work.rounded_q = rounded;
    work.q_scale = scales;
  }
  return work;
}

void CpuOps::attend_span(const AttentionCall& call, const TileOfRun& tile, int64_t span,
                         AttentionTile work) const {
  constexpr int64_t kSpanPages = kSpanTokens / kKvPageTokens;
  const KvView& kv = call.batch.kv;
  if (call.lone_token() && span == tile_spans(call, tile) - 1) store_head(call, tile.kv_head);
  const auto first = static_cast<size_t>(tile.run.first);
  const auto pages = kv.pages[static_cast<size_t>(call.batch.sequences[first])];
  const std::byte* k_pages[kSpanPages];
  const std::byte* v_pages[kSpanPages];
  work.k_pages = k_pages;
  work.v_pages = v_pages;
  work.first_length = call.batch.slots[first] + 1 - span * kSpanTokens;
  for (int64_t i = 0; i * kKvPageTokens < work.slots(); ++i) {
    const int64_t place =
        kv.place(call.layer, tile.kv_head, pages[static_cast<size_t>(span * kSpanPages + i)]);
    k_pages[i] = kv.keys + place;
    v_pages[i] = kv.values + place;
  }
  kernels_.attend(work);
}

// The weighted values of a tile, divided by their weights, into their place.
void CpuOps::finish(const AttentionCall& call, const TileOfRun& tile, const AttentionSums& sums) {
  const int64_t dim = call.batch.kv.head_dim;
  for (int64_t r = 0; r < tile.run.tokens * call.group; ++r) {
    const int64_t token = r / call.group;
    float* out = call.out.row(first_row(call, tile) + token * call.group * call.batch.kv.kv_heads) +
                 r % call.group * dim;
    for (int64_t d = 0; d < dim; ++d) out[d] = sums.values[r * padded_dim(dim) + d] / sums.weight[r];
  }
}

// The row of q that a tile begins with.
int64_t CpuOps::first_row(const AttentionCall& call, const TileOfRun& tile) {
  return (tile.run.first * call.batch.kv.kv_heads + tile.kv_head) * call.group;
}

}  // namespace ink
