// Writes one safetensors file: a JSON header padded with spaces to a multiple of 8, then the tensors in the
// order they were added. Holds names and shapes only; the data streams through.
#pragma once

#include <vector>

#include "tensor/checkpoint_output.h"

namespace ink {

class SafetensorsWriter {
 public:
  void add_tensor(PlannedTensor tensor) { tensors_.push_back(std::move(tensor)); }

  // Errors: kUnsupported for a type the format does not have (quantized blocks), kInvalid for a shape, kIo
  // from the disk, or whatever the source returns.
  Status write(const std::filesystem::path& path, const TensorSource& source) const;

 private:
  std::vector<PlannedTensor> tensors_;
};

}  // namespace ink
