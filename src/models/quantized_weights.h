// A quantized matrix of a safetensors checkpoint is several tensors: codes, scales, zero points, an order of
// groups. Here is what each format calls them, which shapes they must have, and how they become one
// WeightRows.
#pragma once

#include <memory>
#include <string>

#include "models/quantization.h"
#include "models/weight_problems.h"
#include "tensor/weight_rows.h"

namespace ink {

struct MatrixRequest {
  std::string name;  // "model.layers.0.self_attn.q_proj"
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t experts = 0;  // above 0: the tensors hold so many matrices, and this one is wanted
  int64_t expert = 0;
};

// Null after every problem of this matrix was noted.
std::unique_ptr<WeightRows> open_quantized(const Checkpoint& checkpoint, const Quantization& quantization,
                                           const MatrixRequest& request, WeightProblems& problems);

}  // namespace ink
