// Feed-forwards on the processor. A gate, its up projection, the product and the rounding of the product to
// int8 are one parallel region, so that a float product never leaves the cache; down is the next one and adds
// to the residual itself. A mixture of experts does the same for all its experts at once: their tokens are
// brought together first, and each thread then owns columns of the result, to which it adds the experts in
// ascending order: no two threads write one number, and the order of a sum is fixed.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu_ops.h"
#include "kernels/panel_layout.h"

namespace ink {
namespace {

// Columns of a product that are worked out together: a group of activations, so that it can be rounded at
// once.
constexpr int64_t kPanelsOfGroup = kGroup / kPanelRows;

// In which forms some projections read their input.
struct Forms {
  bool floats = false;
  bool integers = false;

  void add(const Linear& linear) {
    const bool is_integer = is_integer_class(linear.weight->weight_class);
    (is_integer ? integers : floats) = true;
  }
};

Forms inputs_of(std::span<const ExpertRows> experts) {
  Forms forms;
  for (const ExpertRows& expert : experts) {
    forms.add(expert.mlp->gate_proj);
    forms.add(expert.mlp->up_proj);
  }
  return forms;
}

void add_weighted(const float* values, float weight, int64_t count, float* sums) {
  for (int64_t n = 0; n < count; ++n) sums[n] += weight * values[n];
}

int64_t groups_of(const GatedProjections& mlp) { return (mlp.gate_proj.weight->rows + kGroup - 1) / kGroup; }

// One token's experts; p [experts] are its logits, which become the probabilities and are used up.
void route_row(float* p, int64_t experts, int64_t top_k, bool renormalise, int32_t* chosen, float* share) {
  const float largest = *std::max_element(p, p + experts);
  float sum = 0.0f;
  for (int64_t e = 0; e < experts; ++e) sum += (p[e] = std::exp(p[e] - largest));
  for (int64_t e = 0; e < experts; ++e) p[e] /= sum;
  float total = 0.0f;
  for (int64_t i = 0; i < top_k; ++i) {
    // max_element gives the first of equals: the lower number wins. A chosen one is marked by -1.
    const int64_t best = std::max_element(p, p + experts) - p;
    chosen[i] = static_cast<int32_t>(best);
    share[i] = p[best];
    total += p[best];
    p[best] = -1.0f;
  }
  for (int64_t i = 0; renormalise && i < top_k; ++i) share[i] /= total;
}

}  // namespace

Routes CpuOps::route(Tensor logits, int64_t top_k, bool renormalise) {
  auto* expert = arena_.allocate<int32_t>(logits.rows * top_k);
  auto* weight = arena_.allocate<float>(logits.rows * top_k);
  threads_.parallel_for(
      logits.rows, rows_worth_a_thread(8 * logits.cols), [&](int64_t begin, int64_t end, int) {
        for (int64_t t = begin; t < end; ++t)
          route_row(logits.row(t), logits.cols, top_k, renormalise, expert + t * top_k, weight + t * top_k);
      });
  return {expert, weight, logits.rows, top_k};
}

// Room for silu(gate) * up in the forms that down reads.
Activations CpuOps::make_products(int64_t rows, std::span<const ExpertRows> experts) {
  const int64_t cols = experts[0].mlp->down_proj.weight->cols;
  Forms forms;
  for (const ExpertRows& expert : experts) forms.add(expert.mlp->down_proj);
  return {forms.floats ? make(rows, cols) : Tensor{nullptr, rows, cols},
          forms.integers ? make_quantized(rows, cols) : QuantizedRows{}};
}

void CpuOps::gate_products(const Activations& h, std::span<const ExpertRows> experts,
                           const Activations& products) {
  const GatedProjections& mlp = *experts[0].mlp;
  const int64_t groups = groups_of(mlp);
  const auto items = static_cast<int64_t>(experts.size()) * groups;
  const int64_t rows = products.floats.rows / static_cast<int64_t>(experts.size());
  const int64_t enough = items_worth_a_thread(*mlp.gate_proj.weight, 2 * kPanelsOfGroup, rows);
  threads_.parallel_for(items, enough, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i)
      gate_columns(h, experts[static_cast<size_t>(i / groups)], i % groups, products);
  });
}

// Thirty-two columns of silu(gate) * up for the rows of one expert.
void CpuOps::gate_columns(const Activations& h, const ExpertRows& expert, int64_t group,
                          const Activations& products) const {
  const GatedProjections& mlp = *expert.mlp;
  const int64_t cols = mlp.down_proj.weight->cols;
  const int64_t first_col = group * kGroup;
  const int64_t group_cols = std::min<int64_t>(kGroup, cols - first_col);
  const QuantizedRows& quantized = products.quantized;
  alignas(64) float gate[kRowTile * kPanelRows];
  alignas(64) float up[kRowTile * kPanelRows];
  alignas(64) float both[kRowTile * kGroup];
  for (int64_t first = 0; first < expert.rows; first += kRowTile) {
    const int64_t rows = std::min(kRowTile, expert.rows - first);
    for (int64_t half = 0; half * kPanelRows < group_cols; ++half) {
      const int64_t panel = group * kPanelsOfGroup + half;
      const int64_t row = expert.first_input + first;
      project_two(h, rows, {&mlp.gate_proj, panel, row, gate}, {&mlp.up_proj, panel, row, up});
      kernels_.silu_mul(gate, up, rows * kPanelRows, gate);
      for (int64_t r = 0; r < rows; ++r)
        std::memcpy(both + r * kGroup + half * kPanelRows, gate + r * kPanelRows, kPanelRows * sizeof(float));
    }
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t row = expert.first_product + first + r;
      const float* product = both + r * kGroup;
      if (products.floats.data != nullptr) {
        std::memcpy(products.floats.row(row) + first_col, product,
                    static_cast<size_t>(group_cols) * sizeof(float));
      }
      if (quantized.q != nullptr) {
        const int64_t place = row * (cols / kGroup) + group;
        kernels_.quantize_row(product, kGroup, quantized.q + place * kGroup, quantized.scale + place,
                              quantized.sum16 + place * 2);
      }
    }
  }
}

void CpuOps::add_gated(Tensor x, Tensor h, const GatedProjections& mlp) {
  const Scope temporaries(*this);
  const ExpertRows all = {&mlp, 0, 0, h.rows};
  const std::span<const ExpertRows> experts(&all, 1);
  const Activations inputs = {h, inputs_of(experts).integers ? quantize(h) : QuantizedRows{}};
  const Activations products = make_products(h.rows, experts);
  gate_products(inputs, experts, products);
  const Linear* down[] = {&mlp.down_proj};
  run_linears(products, down, std::span<const Tensor>(&x, 1), true);
}

// The experts that have tokens, ascending; which tokens those are and with what weights, one expert's after
// the other's, in the order of the batch.
std::span<ExpertRows> CpuOps::bucket(std::span<const GatedProjections> experts, const Routes& routes,
                                     int32_t* tokens, float* weights) {
  const int64_t assignments = routes.tokens * routes.top_k;
  auto* next =
      arena_.allocate<int64_t>(static_cast<int64_t>(experts.size()));  // place of an expert's next token
  auto* busy = arena_.allocate<ExpertRows>(static_cast<int64_t>(experts.size()));
  std::fill_n(next, experts.size(), int64_t{0});
  for (int64_t i = 0; i < assignments; ++i) ++next[routes.expert[i]];
  size_t count = 0;
  int64_t place = 0;
  for (size_t e = 0; e < experts.size(); ++e) {
    const int64_t rows = next[e];
    next[e] = place;
    // A lone token is the input of all its experts.
    if (rows > 0) busy[count++] = {&experts[e], routes.tokens == 1 ? 0 : place, place, rows};
    place += rows;
  }
  for (int64_t i = 0; i < assignments; ++i) {
    const int64_t at = next[routes.expert[i]]++;
    tokens[at] = static_cast<int32_t>(i / routes.top_k);
    weights[at] = routes.weight[i];
  }
  return {busy, count};
}

// The rows of the tokens; as floats only where asked.
Activations CpuOps::gather_inputs(const Activations& h, bool with_floats, std::span<const int32_t> tokens) {
  const int64_t cols = h.floats.cols;
  const auto count = static_cast<int64_t>(tokens.size());
  const Tensor floats = with_floats ? make(count, cols) : Tensor{nullptr, count, cols};
  const QuantizedRows rounded = h.quantized.q != nullptr ? make_quantized(count, cols) : QuantizedRows{};
  const auto copy = [](auto* out, const auto* in, int64_t to, int64_t from, int64_t size) {
    std::memcpy(out + to * size, in + from * size, static_cast<size_t>(size) * sizeof *out);
  };
  threads_.parallel_for(count, rows_worth_a_thread(cols), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t token = tokens[static_cast<size_t>(i)];
      if (floats.data != nullptr) copy(floats.data, h.floats.data, i, token, cols);
      if (rounded.q == nullptr) continue;
      copy(rounded.q, h.quantized.q, i, token, cols);
      copy(rounded.scale, h.quantized.scale, i, token, cols / kGroup);
      copy(rounded.sum16, h.quantized.sum16, i, token, cols / 16);
    }
  });
  return {floats, rounded};
}

void CpuOps::add_mixture(Tensor x, Tensor h, std::span<const GatedProjections> experts,
                         const Routes& routes) {
  const Scope temporaries(*this);
  const int64_t assignments = routes.tokens * routes.top_k;
  auto* tokens = arena_.allocate<int32_t>(assignments);
  auto* weights = arena_.allocate<float>(assignments);
  const std::span<ExpertRows> busy = bucket(experts, routes, tokens, weights);
  const Forms forms = inputs_of(busy);
  Activations inputs = {h, forms.integers ? quantize(h) : QuantizedRows{}};
  if (routes.tokens > 1)
    inputs = gather_inputs(inputs, forms.floats, {tokens, static_cast<size_t>(assignments)});
  const Activations products = make_products(assignments, busy);
  gate_products(inputs, busy, products);
  add_experts(x, products, busy, tokens, weights);
}

// x += the weighted sums of the experts' results.
void CpuOps::add_experts(Tensor x, const Activations& products, std::span<const ExpertRows> experts,
                         const int32_t* tokens, const float* weights) {
  const Tensor sums = make(x.rows, x.cols);
  const PackedMatrix& down = *experts[0].mlp->down_proj.weight;
  const int64_t panels = panel_count(x.cols);
  const auto count = static_cast<int64_t>(experts.size());
  const int64_t enough = items_worth_a_thread(down, count, products.floats.rows / count);
  threads_.parallel_for(panels, enough, [&](int64_t begin, int64_t end, int) {
    const int64_t first_col = begin * kPanelRows;
    const int64_t end_col = std::min(x.cols, end * kPanelRows);
    for (int64_t t = 0; t < x.rows; ++t) std::fill(sums.row(t) + first_col, sums.row(t) + end_col, 0.0f);
    for (size_t e = 0; e < experts.size(); e += 2) {
      const auto two = experts.subspan(e, std::min<size_t>(2, experts.size() - e));
      for (int64_t panel = begin; panel < end; ++panel)
        add_two_experts(sums, products, two, panel, tokens, weights);
    }
    for (int64_t t = 0; t < x.rows; ++t) {
      for (int64_t c = first_col; c < end_col; ++c) x.row(t)[c] += sums.row(t)[c];
    }
  });
}

void CpuOps::add_expert_columns(Tensor sums, const Activations& products, const ExpertRows& expert,
                                int64_t panel, const int32_t* tokens, const float* weights) const {
  const int64_t first_col = panel * kPanelRows;
  const int64_t cols = std::min<int64_t>(kPanelRows, sums.cols - first_col);
  alignas(64) float tile[kRowTile * kPanelRows];
  for (int64_t first = 0; first < expert.rows; first += kRowTile) {
    const int64_t rows = std::min(kRowTile, expert.rows - first);
    const int64_t row = expert.first_product + first;
    project(products, rows, {&expert.mlp->down_proj, panel, row, tile});
    for (int64_t r = 0; r < rows; ++r)
      add_weighted(tile + r * kPanelRows, weights[row + r], cols, sums.row(tokens[row + r]) + first_col);
  }
}

// The same for two experts, or for a last one alone; side by side where each has one row.
void CpuOps::add_two_experts(Tensor sums, const Activations& products, std::span<const ExpertRows> two,
                             int64_t panel, const int32_t* tokens, const float* weights) const {
  if (two.size() < 2 || two[0].rows > 1 || two[1].rows > 1) {
    for (const ExpertRows& expert : two) add_expert_columns(sums, products, expert, panel, tokens, weights);
    return;
  }
  const int64_t first_col = panel * kPanelRows;
  const int64_t cols = std::min<int64_t>(kPanelRows, sums.cols - first_col);
  alignas(64) float tiles[2][kPanelRows];
  const auto product = [&](size_t i) {
    return PanelProduct{&two[i].mlp->down_proj, panel, two[i].first_product, tiles[i]};
  };
  project_two(products, 1, product(0), product(1));
  for (size_t i = 0; i < 2; ++i) {
    const int64_t row = two[i].first_product;
    add_weighted(tiles[i], weights[row], cols, sums.row(tokens[row]) + first_col);
  }
}

}  // namespace ink
