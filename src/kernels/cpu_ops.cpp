// See kernels/cpu_ops.h; the operations are defined in kernels/ops.h.
#include "kernels/cpu_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

namespace ink {

Result<std::unique_ptr<CpuOps>> CpuOps::create(const KernelTable& kernels, ThreadPool& threads,
                                               uint64_t scratch_bytes, int64_t max_slots, int64_t group,
                                               int64_t head_dim) {
  std::unique_ptr<CpuOps> ops(new CpuOps(kernels, threads));
  auto arena = PageMemory::reserve(scratch_bytes);
  if (!arena.ok()) return arena.error();
  ops->arena_ = Arena(std::move(*arena));
  if (auto reserved = ops->reserve_attention(max_slots, group, head_dim); !reserved.ok())
    return reserved.error();
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
