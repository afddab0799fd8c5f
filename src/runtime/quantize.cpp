// See runtime/quantize.h. Tensors stream through in pieces of whole rows, which the threads share; what a
// piece holds in floats is all that is in memory. Error sums are kept by row and added in order, so that the
// report, like the file, does not depend on the number of threads.
#include "runtime/quantize.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "models/gguf_tensors.h"
#include "runtime/gguf_export.h"
#include "tensor/checkpoint_checks.h"
#include "tensor/gguf_writer.h"
#include "tensor/quants.h"
#include "tensor/quants_fit.h"

namespace ink {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kPieceElements = 1 << 20;
constexpr uint32_t kQuantizationVersion = 2;  // of GGML's block formats

std::string type_name(Dtype dtype) { return std::string(dtype_info(dtype).name); }

// Sums of one row.
struct RowErrors {
  double squares = 0, errors = 0, weighted_squares = 0, weighted_errors = 0;
  int64_t not_finite = -1;  // the first column that is NaN or infinite

  void add(const RowErrors& other) {
    squares += other.squares;
    errors += other.errors;
    weighted_squares += other.weighted_squares;
    weighted_errors += other.weighted_errors;
  }
};

RowErrors errors_of(const float* exact, const float* stored, const float* importance, int64_t columns) {
  RowErrors sums;
  for (int64_t i = 0; i < columns; ++i) {
    const double value = exact[i], difference = value - static_cast<double>(stored[i]);
    const double weight = importance != nullptr ? static_cast<double>(importance[i]) : 1.0;
    sums.squares += value * value;
    sums.errors += difference * difference;
    sums.weighted_squares += weight * value * value;
    sums.weighted_errors += weight * difference * difference;
  }
  return sums;
}

double share(double errors, double squares) { return squares > 0 ? std::sqrt(errors / squares) : 0; }

// Gives the bytes of the planned tensors, and the report.
class Conversion {
 public:
  Conversion(const Checkpoint& source, const QuantizeOptions& options, const std::vector<GgufTensor>& tensors,
             std::vector<QuantizedTensor> planned)
      : source_(source),
        options_(options),
        tensors_(tensors),
        report_(std::move(planned)),
        threads_(options.threads > 0 ? options.threads : available_threads()) {
    for (const QuantizedTensor& tensor : report_) total_bytes_ += tensor.size_bytes;
  }

  Status give(size_t index, const TensorSink& sink) {
    const GgufTensor& tensor = tensors_[index];
    QuantizedTensor& result = report_[index];
    if (result.from == result.to) return copy(tensor, sink);
    const int64_t columns = tensor.shape.back();
    // Experts are stacked in one tensor of the file or come one by one; each has an importance of its own.
    const int64_t matrices = tensor.shape.size() == 3 ? tensor.shape[0] : 1;
    const int64_t rows = elements(tensor) / columns / matrices;
    const auto matrices_per_part = matrices / static_cast<int64_t>(tensor.parts.size());
    RowErrors sums;
    for (int64_t m = 0; m < matrices; ++m) {
      const auto importance = matrix_importance(tensor.name, m, columns, result);
      if (!importance.ok()) return importance.error();
      const FileTensor& part = *tensor.parts[static_cast<size_t>(m / matrices_per_part)];
      const uint64_t matrix_bytes = part.bytes.size() / static_cast<uint64_t>(matrices_per_part);
      const std::byte* data = part.bytes.data() + static_cast<uint64_t>(m % matrices_per_part) * matrix_bytes;
      const Matrix matrix{part, result.to, data,
                          rows, columns,   importance->empty() ? nullptr : importance->data()};
      const Status given = convert(matrix, sums, sink);
      if (!given.ok()) return given;
    }
    result.error = share(sums.errors, sums.squares);
    result.weighted_error = share(sums.weighted_errors, sums.weighted_squares);
    return Done{};
  }

  std::vector<QuantizedTensor> take_report() { return std::move(report_); }

 private:
  struct Matrix {
    const FileTensor& part;
    Dtype to;
    const std::byte* data;
    int64_t rows, columns;
    const float* importance;
  };

  static int64_t elements(const GgufTensor& tensor) {
    int64_t product = 1;
    for (const int64_t size : tensor.shape) product *= size;
    return product;
  }

  // The importance of one matrix' columns; empty where there is none.
  Result<std::vector<float>> matrix_importance(const std::string& name, int64_t matrix, int64_t columns,
                                               QuantizedTensor& result) {
    if (options_.importance == nullptr) return std::vector<float>();
    const auto found = options_.importance->entries.find(name);
    if (found == options_.importance->entries.end()) return std::vector<float>();
    if (found->second.columns != columns || matrix >= found->second.experts)
      return Error{ErrorKind::kInvalid, "importance of " + printable(name),
                   std::to_string(columns) + " columns of each matrix",
                   std::to_string(found->second.columns) + " columns of " +
                       std::to_string(found->second.experts) + " matrices",
                   "it was made with another model"};
    result.has_importance = true;
    return options_.importance->column_importance(name, matrix);
  }

  Status pass_on(std::span<const std::byte> bytes, const TensorSink& sink) {
    given_bytes_ += bytes.size();
    const double fraction = static_cast<double>(given_bytes_) / static_cast<double>(total_bytes_);
    if (options_.progress && !options_.progress(fraction))
      return Error{ErrorKind::kCancelled, "quantize", "", "stopped; nothing was written", ""};
    return sink(bytes);
  }

  Status copy(const GgufTensor& tensor, const TensorSink& sink) {
    for (const FileTensor* part : tensor.parts) {
      const int64_t columns = part->shape.back();
      if (!dtype_info(part->dtype).is_quantized && dequantizable(part->dtype)) {
        std::vector<float> row(static_cast<size_t>(columns));
        const size_t row_bytes = *size_bytes_of(part->dtype, static_cast<uint64_t>(columns));
        for (int64_t r = 0; r < part->elements() / columns; ++r) {
          dequantize_row(part->dtype, part->bytes.data() + static_cast<size_t>(r) * row_bytes, columns,
                         row.data());
          const int64_t column = first_not_finite(row);
          if (column >= 0) return not_finite(*part, r, column);
        }
      }
      for (size_t done = 0; done < part->bytes.size(); done += kPieceElements) {
        const Status given = pass_on(
            part->bytes.subspan(done, std::min<size_t>(kPieceElements, part->bytes.size() - done)), sink);
        if (!given.ok()) return given;
      }
    }
    return Done{};
  }

  static int64_t first_not_finite(std::span<const float> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) return static_cast<int64_t>(i);
    }
    return -1;
  }

  Error not_finite(const FileTensor& tensor, int64_t row, int64_t column) const {
    return Error{ErrorKind::kInvalid, tensor_place(source_.name(), tensor.name), "finite weights",
                 "NaN or infinity at row " + std::to_string(row) + ", column " + std::to_string(column),
                 "the file is damaged, or training went wrong"};
  }

  Status convert(const Matrix& matrix, RowErrors& sums, const TensorSink& sink) {
    const int64_t piece_rows = std::clamp<int64_t>(kPieceElements / matrix.columns, 1, matrix.rows);
    const auto row_elements = static_cast<uint64_t>(matrix.columns);
    const uint64_t row_bytes = *size_bytes_of(matrix.to, row_elements);
    const uint64_t source_row_bytes = *size_bytes_of(matrix.part.dtype, row_elements);
    std::vector<std::byte> piece;
    std::vector<RowErrors> errors;
    for (int64_t first = 0; first < matrix.rows; first += piece_rows) {
      const int64_t rows = std::min(piece_rows, matrix.rows - first);
      piece.resize(static_cast<uint64_t>(rows) * row_bytes);
      errors.assign(static_cast<size_t>(rows), {});
      threads_.parallel_for(rows, 1, [&](int64_t begin, int64_t end, int) {
        for (int64_t r = begin; r < end; ++r) {
          const std::byte* from = matrix.data + static_cast<uint64_t>(first + r) * source_row_bytes;
          errors[static_cast<size_t>(r)] =
              convert_row(matrix, from, piece.data() + static_cast<uint64_t>(r) * row_bytes);
        }
      });
      for (int64_t r = 0; r < rows; ++r) {
        const RowErrors& row = errors[static_cast<size_t>(r)];
        if (row.not_finite >= 0) return not_finite(matrix.part, first + r, row.not_finite);
        sums.add(row);
      }
      const Status given = pass_on(piece, sink);
      if (!given.ok()) return given;
    }
    return Done{};
  }

  static RowErrors convert_row(const Matrix& matrix, const std::byte* from, std::byte* to) {
    std::vector<float> exact(static_cast<size_t>(matrix.columns));
    dequantize_row(matrix.part.dtype, from, matrix.columns, exact.data());
    RowErrors errors;
    errors.not_finite = first_not_finite(exact);
    if (errors.not_finite >= 0) return errors;
    if (fittable(matrix.to)) {
      fit_row(matrix.to, exact.data(), matrix.importance, matrix.columns, to);
    } else {
      quantize_row(matrix.to, exact.data(), matrix.columns, to);
    }
    std::vector<float> stored(exact.size());
    dequantize_row(matrix.to, to, matrix.columns, stored.data());
    return errors_of(exact.data(), stored.data(), matrix.importance, matrix.columns);
  }

  const Checkpoint& source_;
  const QuantizeOptions& options_;
  const std::vector<GgufTensor>& tensors_;
  std::vector<QuantizedTensor> report_;
  ThreadPool threads_;
  uint64_t total_bytes_ = 0;
  uint64_t given_bytes_ = 0;
};

Status refuse_own_source(const Checkpoint& source, const fs::path& path) {
  std::error_code code;
  for (const fs::path& file : source.files()) {
    if (!fs::equivalent(file, path, code)) continue;
    return Error{ErrorKind::kInvalid, path.string(), "another file than the source", "the source itself", ""};
  }
  if (fs::is_directory(path, code))
    return Error{ErrorKind::kInvalid, path.string(), "a file", "a folder",
                 "name the file, such as model.gguf"};
  return Done{};
}

// Better said before the work than after it.
Status check_free_space(const fs::path& path, uint64_t needed) {
  std::error_code code;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::space_info space = fs::space(folder, code);
  if (code || space.available >= needed) return Done{};
  return Error{ErrorKind::kIo, path.string(), std::to_string(needed / 1'000'000 + 1) + " MB of free space",
               std::to_string(space.available / 1'000'000) + " MB", ""};
}

// The type each tensor gets.
Result<std::vector<QuantizedTensor>> plan(const Checkpoint& source, const ModelConfig& config,
                                          const std::vector<GgufTensor>& tensors,
                                          const QuantizeOptions& options) {
  std::vector<QuantizedTensor> planned;
  for (const GgufTensor& tensor : tensors) {
    QuantizedTensor result{tensor.name, tensor.shape, tensor.dtype(), tensor.dtype(), 0, 0, 0, false};
    if (dequantizable(result.from)) {
      result.to = is_quantized_tensor(tensor.name, tensor.shape)
                      ? recipe_type(options.recipe, options.wishes, config, tensor.name, tensor.shape)
                      : Dtype::kF32;
    }
    const bool requantizes = dtype_info(result.from).is_quantized && result.from != result.to;
    if (requantizes && !options.allow_requantize) {
      return Error{ErrorKind::kInvalid, tensor_place(source.name(), tensor.name), "F32, F16 or BF16 weights",
                   type_name(result.from),
                   "weights that were quantized once lose more than the report can tell; --allow-requantize "
                   "does it nevertheless"};
    }
    const auto size = planned_size_bytes({tensor.name, result.to, tensor.shape});
    if (!size.ok()) return size.error();
    result.size_bytes = *size;
    planned.push_back(std::move(result));
  }
  return planned;
}

void add_storage_metadata(GgufWriter& writer, const QuantizeOptions& options) {
  writer.add_number("general.quantization_version", kQuantizationVersion);
  writer.add_number("general.file_type", options.recipe.file_type);
  if (options.importance == nullptr) return;
  const ImportanceMatrix& importance = *options.importance;
  writer.add_string("quantize.imatrix.file", options.importance_name);
  if (!importance.datasets.empty())
    writer.add_string("quantize.imatrix.dataset", importance.datasets.front());
  writer.add_number("quantize.imatrix.entries_count", static_cast<uint32_t>(importance.entries.size()));
  writer.add_number("quantize.imatrix.chunks_count", importance.chunks);
}

}  // namespace

bool writable_type(Dtype dtype) { return fittable(dtype) || quantizable(dtype); }

Result<std::vector<QuantizedTensor>> quantize(const Checkpoint& source, const fs::path& path,
                                              const QuantizeOptions& options) {
  const Status not_itself = refuse_own_source(source, path);
  if (!not_itself.ok()) return not_itself.error();
  const auto config = read_config(source);
  if (!config.ok()) return config.error();
  if (!config->quantization.text.empty()) {
    return Error{ErrorKind::kUnsupported, source.name(), "F32, F16 or BF16 weights, or a GGUF file",
                 "weights quantized as " + config->quantization.text, "quantize the original model"};
  }
  const auto tensors = gguf_tensors(source, *config);
  if (!tensors.ok()) return tensors.error();
  auto planned = plan(source, *config, *tensors, options);
  if (!planned.ok()) return planned.error();
  GgufWriter writer;
  const Status described = add_model_metadata(writer, source, *config);
  if (!described.ok()) return described.error();
  add_storage_metadata(writer, options);
  uint64_t needed = 0;
  for (const QuantizedTensor& tensor : *planned) {
    writer.add_tensor({tensor.name, tensor.to, tensor.shape});
    needed += tensor.size_bytes;
  }
  const Status fits = check_free_space(path, needed);
  if (!fits.ok()) return fits.error();
  Conversion conversion(source, options, *tensors, std::move(*planned));
  const Status written =
      writer.write(path, [&](size_t index, const TensorSink& sink) { return conversion.give(index, sink); });
  if (!written.ok()) return written.error();
  return conversion.take_report();
}

}  // namespace ink
