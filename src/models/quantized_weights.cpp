// See models/quantized_weights.h. The formats as their makers document them: AutoGPTQ and GPTQModel
// (qlinear), AutoAWQ (WQLinear_GEMM), compressed-tensors (compressors), transformers' FP8 integration, MLX
// (quantize).
//
// Every shape follows from the matrix and its grouping. The groupings of the config are tried in turn; when
// none fits, the problems are those of the first.
#include "models/quantized_weights.h"

#include <algorithm>
#include <optional>

#include "tensor/grouped_rows.h"
#include "tensor/quants_blocks.h"
#include "tensor/scaled_rows.h"

namespace ink {
namespace {

enum class PartType { kWords, kFloats, kBytes, kFloat8 };

struct PartShape {
  const char* suffix;
  PartType type;
  std::vector<int64_t> shape;
};

struct Part {
  Dtype dtype;
  const std::byte* data;
};

bool has_type(const FileTensor& tensor, PartType type) {
  switch (type) {
    case PartType::kWords:
      return tensor.dtype == Dtype::kI32;
    case PartType::kFloats:
      return tensor.dtype == Dtype::kF16 || tensor.dtype == Dtype::kBF16 || tensor.dtype == Dtype::kF32;
    case PartType::kBytes:
      return tensor.dtype == Dtype::kI8;
    case PartType::kFloat8:
      return tensor.dtype == Dtype::kF8_E4M3;
  }
  return false;
}

int64_t parts_of(int64_t size, int64_t block) { return block == 0 ? 1 : (size + block - 1) / block; }

// 32-bit words for `count` values; -1 when they do not fill whole words.
int64_t words_for(int64_t count, int bits) { return count * bits % 32 == 0 ? count * bits / 32 : -1; }
int64_t words_at_least(int64_t count, int bits) { return (count * bits + 31) / 32; }

// The tensors of one matrix.
class Matrix {
 public:
  Matrix(const Checkpoint& checkpoint, const MatrixRequest& request, WeightProblems& problems)
      : checkpoint_(checkpoint), request_(request), problems_(problems) {}

  bool has(const char* suffix) const { return checkpoint_.find(request_.name + suffix) != nullptr; }

  // Whether all of the parts are there as described.
  bool fits(const std::vector<PartShape>& parts) const {
    return std::all_of(parts.begin(), parts.end(), [&](const PartShape& part) {
      const FileTensor* tensor = checkpoint_.find(request_.name + part.suffix);
      return tensor != nullptr && tensor->shape == stacked(part.shape) && has_type(*tensor, part.type);
    });
  }

  // Notes what keeps the parts from fitting.
  void complain(const std::vector<PartShape>& parts, const Grouping& grouping) {
    for (const PartShape& part : parts) {
      const std::string name = request_.name + part.suffix;
      const FileTensor* tensor = problems_.find(checkpoint_, name);
      if (tensor == nullptr) continue;
      const auto wanted = stacked(part.shape);
      if (std::find(wanted.begin(), wanted.end(), -1) != wanted.end()) {
        problems_.add(name + ": a matrix of " + shape_text({request_.rows, request_.cols}) +
                      " cannot be packed as " + grouping.text());
      } else if (tensor->shape != wanted) {
        problems_.add(name + ": expected " + shape_text(wanted) + " (" + grouping.text() + "), got " +
                      shape_text(tensor->shape));
      } else if (!has_type(*tensor, part.type)) {
        problems_.add(name + ": type " + std::string(dtype_info(tensor->dtype).name) +
                      " is not expected here");
      }
    }
  }

  // A part that fits; of stacked ones the wanted expert's share.
  Part part(const char* suffix) const {
    const FileTensor& tensor = *checkpoint_.find(request_.name + suffix);
    const auto count = static_cast<uint64_t>(std::max<int64_t>(1, request_.experts));
    return {tensor.dtype,
            tensor.bytes.data() + tensor.bytes.size() / count * static_cast<uint64_t>(request_.expert)};
  }

  void add_problem(const char* suffix, const std::string& problem) {
    problems_.add(request_.name + suffix + ": " + problem);
  }

  const MatrixRequest& request() const { return request_; }

 private:
  std::vector<int64_t> stacked(std::vector<int64_t> shape) const {
    if (request_.experts > 0) shape.insert(shape.begin(), request_.experts);
    return shape;
  }

  const Checkpoint& checkpoint_;
  const MatrixRequest& request_;
  WeightProblems& problems_;
};

using Shapes = std::vector<PartShape> (*)(const Matrix& matrix, const Grouping& grouping);

// The first grouping that fits, or nothing after noting the problems of the first one that `suits`.
template <typename Suits>
const Grouping* choose(Matrix& matrix, const Quantization& quantization, Shapes shapes, Suits suits) {
  const Grouping* first = nullptr;
  for (const Grouping& grouping : quantization.groupings) {
    if (!suits(grouping)) continue;
    if (matrix.fits(shapes(matrix, grouping))) return &grouping;
    if (first == nullptr) first = &grouping;
  }
  if (first != nullptr) {
    matrix.complain(shapes(matrix, *first), *first);
  } else {
    matrix.add_problem(".weight", "stored in a way that config.json does not tell");
  }
  return nullptr;
}

// Takes an order of groups, i32 [cols], into the layout, where it is not the natural one. False after a
// problem.
bool take_group_order(Matrix& matrix, const char* suffix, GroupedLayout& layout) {
  if (!matrix.has(suffix)) return true;
  const std::vector<PartShape> shape = {{suffix, PartType::kWords, {layout.cols}}};
  if (!matrix.fits(shape)) {
    matrix.complain(shape, {});
    return false;
  }
  const std::byte* data = matrix.part(suffix).data;
  const int64_t groups = parts_of(layout.cols, layout.group_size);
  bool natural = true;
  for (int64_t col = 0; col < layout.cols; ++col) {
    const auto group =
        static_cast<int32_t>(blocks::load_u32(reinterpret_cast<const uint8_t*>(data) + 4 * col));
    if (group == -1) return true;  // compressed-tensors: there is no order
    if (group < 0 || group >= groups) {
      matrix.add_problem(suffix, "column " + std::to_string(col) + " is in group " + std::to_string(group) +
                                     " of " + std::to_string(groups));
      return false;
    }
    natural = natural && group == col / layout.group_size;
  }
  if (!natural) layout.group_of_column = data;
  return true;
}

GroupedLayout layout_of(const Matrix& matrix, const Grouping& grouping) {
  GroupedLayout layout;
  layout.rows = matrix.request().rows;
  layout.cols = matrix.request().cols;
  layout.group_size = grouping.block_cols == 0 ? layout.cols : grouping.block_cols;
  layout.codes.bits = grouping.bits;
  return layout;
}

// GPTQ: words of `qweight` run along the columns (the inputs), one word row for 32 / bits of them; words of
// `qzeros` run along the rows.
std::vector<PartShape> gptq_shapes(const Matrix& matrix, const Grouping& grouping) {
  const int64_t rows = matrix.request().rows;
  const int64_t cols = matrix.request().cols;
  const int64_t groups = parts_of(cols, grouping.block_cols);
  return {{".qweight", PartType::kWords, {words_for(cols, grouping.bits), rows}},
          {".qzeros", PartType::kWords, {groups, words_for(rows, grouping.bits)}},
          {".scales", PartType::kFloats, {groups, rows}}};
}

std::unique_ptr<WeightRows> open_gptq(Matrix& matrix, const Quantization& quantization) {
  const Grouping* grouping = choose(matrix, quantization, gptq_shapes, [](const Grouping&) { return true; });
  if (grouping == nullptr) return nullptr;
  GroupedLayout layout = layout_of(matrix, *grouping);
  layout.codes.data = matrix.part(".qweight").data;
  layout.codes.line_stride = 1;
  layout.codes.word_stride = layout.rows;
  PackedCodes& zeros = layout.zeros.emplace();
  zeros.bits = grouping->bits;
  zeros.data = matrix.part(".qzeros").data;
  zeros.line_stride = words_for(layout.rows, grouping->bits);
  // One more in every field. Writers subtract from whole words, so that the carries must be undone alike.
  if (quantization.zeros_less_one) zeros.added = 0xffffffffu / ((1u << grouping->bits) - 1);
  const Part scales = matrix.part(".scales");
  layout.scales = {scales.dtype, scales.data, 1, layout.rows};
  if (!take_group_order(matrix, ".g_idx", layout)) return nullptr;
  return std::make_unique<GroupedRows>(layout);
}

// AWQ (GEMM): words run along the rows (the outputs), with their eight nibbles interleaved.
std::vector<PartShape> awq_shapes(const Matrix& matrix, const Grouping& grouping) {
  const int64_t rows = matrix.request().rows;
  const int64_t cols = matrix.request().cols;
  const int64_t groups = parts_of(cols, grouping.block_cols);
  const int64_t words = words_for(rows, grouping.bits);
  return {{".qweight", PartType::kWords, {cols, words}},
          {".qzeros", PartType::kWords, {groups, words}},
          {".scales", PartType::kFloats, {groups, rows}}};
}

std::unique_ptr<WeightRows> open_awq(Matrix& matrix, const Quantization& quantization) {
  const Grouping* grouping = choose(matrix, quantization, awq_shapes, [](const Grouping&) { return true; });
  if (grouping == nullptr) return nullptr;
  GroupedLayout layout = layout_of(matrix, *grouping);
  layout.codes_by_column = true;
  layout.codes.data = matrix.part(".qweight").data;
  layout.codes.line_stride = words_for(layout.rows, grouping->bits);
  layout.codes.interleaved = true;
  PackedCodes& zeros = layout.zeros.emplace(layout.codes);
  zeros.data = matrix.part(".qzeros").data;
  const Part scales = matrix.part(".scales");
  layout.scales = {scales.dtype, scales.data, 1, layout.rows};
  return std::make_unique<GroupedRows>(layout);
}

// MLX: a row is one stream of bits; scale and offset ("bias") per group.
std::vector<PartShape> mlx_shapes(const Matrix& matrix, const Grouping& grouping) {
  const int64_t rows = matrix.request().rows;
  const int64_t cols = matrix.request().cols;
  const int64_t groups = parts_of(cols, grouping.block_cols);
  return {{".weight", PartType::kWords, {rows, words_for(cols, grouping.bits)}},
          {".scales", PartType::kFloats, {rows, groups}},
          {".biases", PartType::kFloats, {rows, groups}}};
}

std::unique_ptr<WeightRows> open_mlx(Matrix& matrix, const Quantization& quantization) {
  const Grouping* grouping = choose(matrix, quantization, mlx_shapes, [](const Grouping&) { return true; });
  if (grouping == nullptr) return nullptr;
  GroupedLayout layout = layout_of(matrix, *grouping);
  layout.codes.data = matrix.part(".weight").data;
  layout.codes.line_stride = words_for(layout.cols, grouping->bits);
  const int64_t groups = parts_of(layout.cols, grouping->block_cols);
  const Part scales = matrix.part(".scales");
  const Part offsets = matrix.part(".biases");
  layout.scales = {scales.dtype, scales.data, groups, 1};
  layout.offsets = FloatTable{offsets.dtype, offsets.data, groups, 1};
  return std::make_unique<GroupedRows>(layout);
}

// compressed-tensors, packed: codes and zero points are biased by half their range; words of codes run along
// the columns of a row, words of zero points along the rows.
std::vector<PartShape> packed_shapes(const Matrix& matrix, const Grouping& grouping) {
  const int64_t rows = matrix.request().rows;
  const int64_t cols = matrix.request().cols;
  const int64_t groups = parts_of(cols, grouping.block_cols);
  std::vector<PartShape> parts = {
      {".weight_packed", PartType::kWords, {rows, words_at_least(cols, grouping.bits)}},
      {".weight_scale", PartType::kFloats, {rows, groups}}};
  if (matrix.has(".weight_zero_point"))
    parts.push_back({".weight_zero_point", PartType::kWords, {words_at_least(rows, grouping.bits), groups}});
  return parts;
}

std::unique_ptr<WeightRows> open_packed(Matrix& matrix, const Quantization& quantization) {
  const Grouping* grouping = choose(matrix, quantization, packed_shapes,
                                    [](const Grouping& g) { return !g.is_float && g.block_rows == 1; });
  if (grouping == nullptr) return nullptr;
  GroupedLayout layout = layout_of(matrix, *grouping);
  layout.codes.data = matrix.part(".weight_packed").data;
  layout.codes.line_stride = words_at_least(layout.cols, grouping->bits);
  const int64_t groups = parts_of(layout.cols, grouping->block_cols);
  layout.zero = 1u << (grouping->bits - 1);
  if (matrix.has(".weight_zero_point")) {
    PackedCodes& zeros = layout.zeros.emplace();
    zeros.bits = grouping->bits;
    zeros.data = matrix.part(".weight_zero_point").data;
    zeros.line_stride = 1;
    zeros.word_stride = groups;
  }
  const Part scales = matrix.part(".weight_scale");
  layout.scales = {scales.dtype, scales.data, groups, 1};
  if (!take_group_order(matrix, ".weight_g_idx", layout)) return nullptr;
  return std::make_unique<GroupedRows>(layout);
}

// One byte per weight with scales by block. A single scale may be written as a number or as a list of one.
std::vector<PartShape> scaled_shapes(const Matrix& matrix, const Grouping& grouping, const char* scale) {
  const int64_t rows = matrix.request().rows;
  const int64_t cols = matrix.request().cols;
  std::vector<PartShape> parts = {
      {".weight", grouping.is_float ? PartType::kFloat8 : PartType::kBytes, {rows, cols}},
      {scale, PartType::kFloats, {parts_of(rows, grouping.block_rows), parts_of(cols, grouping.block_cols)}}};
  if (grouping.block_rows != 0) return parts;
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{}, std::vector<int64_t>{1}}) {
    const auto as_matrix = parts.back().shape;
    parts.back().shape = shape;
    if (matrix.fits(parts)) break;
    parts.back().shape = as_matrix;
  }
  return parts;
}

std::vector<PartShape> scaled_shapes(const Matrix& matrix, const Grouping& grouping) {
  return scaled_shapes(matrix, grouping, ".weight_scale");
}

std::vector<PartShape> fp8_shapes(const Matrix& matrix, const Grouping& grouping) {
  return scaled_shapes(matrix, grouping, ".weight_scale_inv");
}

std::unique_ptr<WeightRows> open_scaled(Matrix& matrix, const Quantization& quantization, const char* scale,
                                        Shapes shapes) {
  const Grouping* grouping =
      choose(matrix, quantization, shapes, [](const Grouping& g) { return g.bits == 8; });
  if (grouping == nullptr) return nullptr;
  if (matrix.has(".weight_zero_point")) {
    matrix.add_problem(".weight_zero_point", "bytes with zero points are not read");
    return nullptr;
  }
  const Part weight = matrix.part(".weight");
  const Part scales = matrix.part(scale);
  ScaledLayout layout;
  layout.rows = matrix.request().rows;
  layout.cols = matrix.request().cols;
  layout.dtype = weight.dtype;
  layout.data = weight.data;
  layout.block_rows = grouping->block_rows == 0 ? layout.rows : grouping->block_rows;
  layout.block_cols = grouping->block_cols == 0 ? layout.cols : grouping->block_cols;
  layout.scales = {scales.dtype, scales.data, parts_of(layout.cols, grouping->block_cols), 1};
  return std::make_unique<ScaledRows>(layout);
}

}  // namespace

std::unique_ptr<WeightRows> open_quantized(const Checkpoint& checkpoint, const Quantization& quantization,
                                           const MatrixRequest& request, WeightProblems& problems) {
  Matrix matrix(checkpoint, request, problems);
  switch (quantization.method) {
    case Quantization::Method::kGptq:
      return open_gptq(matrix, quantization);
    case Quantization::Method::kAwq:
      return open_awq(matrix, quantization);
    case Quantization::Method::kMlx:
      return open_mlx(matrix, quantization);
    case Quantization::Method::kFp8:
      // Block scales are called "inverse" and yet multiplied; a single scale per matrix has the plain name.
      return matrix.has(".weight_scale") ? open_scaled(matrix, quantization, ".weight_scale", scaled_shapes)
                                         : open_scaled(matrix, quantization, ".weight_scale_inv", fp8_shapes);
    case Quantization::Method::kCompressedTensors:
      return matrix.has(".weight") ? open_scaled(matrix, quantization, ".weight_scale", scaled_shapes)
                                   : open_packed(matrix, quantization);
    case Quantization::Method::kNone:
      break;
  }
  return nullptr;
}

}  // namespace ink
