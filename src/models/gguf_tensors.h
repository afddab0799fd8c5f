// The tensors of a checkpoint as a GGUF file has them: under GGUF's names, experts stacked, a head that only
// repeats the embeddings left out.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "models/config.h"
#include "tensor/checkpoint.h"

namespace ink {

struct GgufTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<const FileTensor*> parts;  // one, or the experts' matrices in order, all of one type and shape

  Dtype dtype() const { return parts.front()->dtype; }
};

// Errors: kUnsupported for a tensor that GGUF has no name for, kInvalid and kNotFound for experts that are
// not all there or not alike.
Result<std::vector<GgufTensor>> gguf_tensors(const Checkpoint& checkpoint, const ModelConfig& config);

}  // namespace ink
