// Writes a model file with smaller types: a GGUF with the source's metadata and tensors, each matrix in the
// type that a recipe gives it (models/recipe.h), its blocks searched for the smallest error
// (tensor/quants_fit.h). The file appears whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/recipe.h"
#include "tensor/checkpoint.h"
#include "tensor/importance.h"

namespace ink {

struct QuantizeOptions {
  Recipe recipe;
  TypeWishes wishes;
  const ImportanceMatrix* importance = nullptr;  // null: every column counts the same
  std::string importance_name;                   // for the file's metadata
  bool allow_requantize = false;                 // from weights that are quantized already
  int threads = 0;                               // 0: as many as the process may use
  std::function<bool(double)> progress;          // 0 … 1; false stops
};

// Whether a tensor can be given this type.
bool writable_type(Dtype dtype);

// What became of one tensor. Errors are root mean squares, as shares of the root mean square of the tensor.
struct QuantizedTensor {
  std::string name;
  std::vector<int64_t> shape;
  Dtype from = Dtype::kF32;
  Dtype to = Dtype::kF32;
  uint64_t size_bytes = 0;
  double error = 0;
  double weighted_error = 0;    // with the importance matrix's weights; equal to `error` without one
  bool has_importance = false;  // whether the importance matrix knows this tensor
};

// Errors: those of the checkpoint's configuration; kInvalid when `path` is one of the source's files, when
// weights are quantized already (see above) or not finite (named), for an importance matrix of another shape;
// kUnsupported for what GGUF cannot hold; kIo from the disk, before anything is written where the free space
// is known not to suffice; kCancelled.
Result<std::vector<QuantizedTensor>> quantize(const Checkpoint& source, const std::filesystem::path& path,
                                              const QuantizeOptions& options);

}  // namespace ink
