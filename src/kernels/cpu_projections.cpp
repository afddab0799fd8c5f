// Projections on the processor: activations are rounded to int8 once for all integer weights that read them,
// and each thread works out panels, sixteen columns of a product for all rows. A lone row takes two panels at
// once, from the two halves of a matrix: two places of memory give more than one (KernelTable::two_panels).
#include <algorithm>

#include "kernels/cpu_ops.h"
#include "kernels/panel_layout.h"

namespace ink {
namespace {

void add_bias(const PanelProduct& product, int64_t rows) {
  if (product.linear->bias == nullptr) return;
  const int64_t first_col = product.panel * kPanelRows;
  const int64_t cols = std::min<int64_t>(kPanelRows, product.linear->weight->rows - first_col);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t n = 0; n < cols; ++n)
      product.tile[r * kPanelRows + n] += product.linear->bias[first_col + n];
  }
}

RowByPanel row_by_panel(const PanelProduct& product) {
  const PackedMatrix& weight = *product.linear->weight;
  return {product.first_row, weight.panel(product.panel), weight.panel_scales(product.panel), product.tile};
}

void write(const float* sums, int64_t cols, bool add, float* out) {
  for (int64_t n = 0; n < cols; ++n) out[n] = add ? out[n] + sums[n] : sums[n];
}

}  // namespace

QuantizedRows CpuOps::make_quantized(int64_t rows, int64_t cols) {
  return {arena_.allocate<int8_t>(rows * cols), arena_.allocate<float>(rows * cols / kGroup),
          arena_.allocate<int32_t>(rows * cols / 16), cols};
}

QuantizedRows CpuOps::quantize(Tensor x) {
  const QuantizedRows rows = make_quantized(x.rows, x.cols);
  threads_.parallel_for(x.rows, rows_worth_a_thread(x.cols), [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      kernels_.quantize_row(x.row(r), x.cols, rows.q + r * x.cols, rows.scale + r * (x.cols / kGroup),
                            rows.sum16 + r * (x.cols / 16));
    }
  });
  return rows;
}

int64_t items_worth_a_thread(const PackedMatrix& weight, int64_t panels, int64_t rows) {
  const int64_t cost = is_integer_class(weight.weight_class) ? 1 : kFloatCost;
  const int64_t work = std::max<int64_t>(1, kPanelRows * weight.cols * panels * rows * cost);
  return std::max<int64_t>(1, kWorthAThread / work);
}

void CpuOps::project(const Activations& x, int64_t rows, const PanelProduct& product) const {
  const auto [linear, panel, first_row, tile] = product;
  const PackedMatrix& weight = *linear->weight;
  const std::byte* data = weight.panel(panel);
  switch (weight.weight_class) {
    case WeightClass::kF32:
      kernels_.panel_f32(x.floats.row(first_row), rows, weight.cols, data, tile);
      break;
    case WeightClass::kF16:
      kernels_.panel_f16(x.floats.row(first_row), rows, weight.cols, data, tile);
      break;
    case WeightClass::kBF16:
      kernels_.panel_bf16(x.floats.row(first_row), rows, weight.cols, data, tile);
      break;
    default:
      kernels_.integer_panel(weight.weight_class)(x.quantized, first_row, rows, data,
                                                  weight.panel_scales(panel), tile);
  }
  add_bias(product, rows);
}

// The same for two panels, side by side where that is possible and pays.
void CpuOps::project_two(const Activations& x, int64_t rows, const PanelProduct& a,
                         const PanelProduct& b) const {
  const WeightClass weight_class = a.linear->weight->weight_class;
  if (rows > 1 || !is_integer_class(weight_class) || b.linear->weight->weight_class != weight_class) {
    project(x, rows, a);
    project(x, rows, b);
    return;
  }
  kernels_.multiply_two_panels(weight_class, x.quantized, row_by_panel(a), row_by_panel(b));
  add_bias(a, 1);
  add_bias(b, 1);
}

// Sixteen columns of a projection for all rows, into the output or added to what is there.
void CpuOps::linear_panel(const Activations& x, const Linear& linear, int64_t panel, Tensor output,
                          bool add) const {
  const int64_t first_col = panel * kPanelRows;
  const int64_t cols = std::min<int64_t>(kPanelRows, output.cols - first_col);
  alignas(64) float tile[kRowTile * kPanelRows];
  for (int64_t first = 0; first < output.rows; first += kRowTile) {
    const int64_t rows = std::min(kRowTile, output.rows - first);
    project(x, rows, {&linear, panel, first, tile});
    for (int64_t r = 0; r < rows; ++r)
      write(tile + r * kPanelRows, cols, add, output.row(first + r) + first_col);
  }
}

// A panel of the first half of a matrix, and its fellow in the second half, if there is one.
void CpuOps::two_linear_panels(const Activations& x, const Linear& linear, int64_t panel, Tensor output,
                               bool add) const {
  const int64_t fellow = panel + (panel_count(output.cols) + 1) / 2;
  const bool both = fellow < panel_count(output.cols);
  if (output.rows > 1 || !both) {
    linear_panel(x, linear, panel, output, add);
    if (both) linear_panel(x, linear, fellow, output, add);
    return;
  }
  alignas(64) float tiles[2][kPanelRows];
  project_two(x, 1, {&linear, panel, 0, tiles[0]}, {&linear, fellow, 0, tiles[1]});
  write(tiles[0], kPanelRows, add, output.data + panel * kPanelRows);
  write(tiles[1], std::min<int64_t>(kPanelRows, output.cols - fellow * kPanelRows), add,
        output.data + fellow * kPanelRows);
}

void CpuOps::run_linears(const Activations& x, std::span<const Linear* const> weights,
                         std::span<const Tensor> outputs, bool add) {
  const auto pairs_of = [](const Linear& linear) { return (panel_count(linear.weight->rows) + 1) / 2; };
  int64_t pairs = 0;
  for (const Linear* linear : weights) {
    INK_CHECK(linear->weight->cols == x.floats.cols, "shapes are checked when a model is loaded");
    pairs += pairs_of(*linear);
  }
  const int64_t enough = items_worth_a_thread(*weights[0]->weight, 2, outputs[0].rows);
  threads_.parallel_for(pairs, enough, [&](int64_t begin, int64_t end, int) {
    int64_t before = 0;  // pairs of the matrices before this one
    for (size_t i = 0; i < weights.size(); ++i) {
      const int64_t count = pairs_of(*weights[i]);
      const int64_t last = std::min(end - before, count);
      for (int64_t pair = std::max<int64_t>(begin - before, 0); pair < last; ++pair)
        two_linear_panels(x, *weights[i], pair, outputs[i], add);
      before += count;
    }
  });
}

void CpuOps::linear_into(Tensor x, std::span<const Linear* const> weights, std::span<Tensor> outputs) {
  bool integers = false;
  for (size_t i = 0; i < weights.size(); ++i) {
    outputs[i] = make(x.rows, weights[i]->weight->rows);
    integers = integers || is_integer_class(weights[i]->weight->weight_class);
  }
  const Scope quantized_lives_here(*this);
  run_linears({x, integers ? quantize(x) : QuantizedRows{}}, weights, outputs, false);
}

void CpuOps::add_linear(Tensor x, Tensor y, const Linear& a) {
  const Scope quantized_lives_here(*this);
  const bool integers = is_integer_class(a.weight->weight_class);
  const Linear* weights[] = {&a};
  run_linears({y, integers ? quantize(y) : QuantizedRows{}}, weights, std::span<const Tensor>(&x, 1), true);
}

}  // namespace ink
