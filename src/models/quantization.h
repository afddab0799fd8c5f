// How config.json says that the matrices of a safetensors checkpoint are quantized: GPTQ, AWQ, AutoRound
// (which packs like one of the two), compressed-tensors, FP8 in blocks, MLX. What the tensors are called and
// how they are read is in quantized_weights.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ink {

// How one kind of matrix is stored: integers of some bits, or FP8, with one scale for each block.
struct Grouping {
  int bits = 0;
  bool is_float = false;   // e4m3
  int64_t block_rows = 1;  // rows and columns that share a scale; 0: all of them
  int64_t block_cols = 0;

  bool operator==(const Grouping&) const = default;
  std::string text() const;  // "4 bits in groups of 128"
};

struct Quantization {
  enum class Method { kNone, kGptq, kAwq, kCompressedTensors, kFp8, kMlx } method = Method::kNone;
  // What a matrix may be: the usual grouping first, then those that the config has for some layers. Which one
  // holds for a matrix, its tensors' shapes tell; patterns of names in a config are not run.
  std::vector<Grouping> groupings;
  bool zeros_less_one = false;  // GPTQ: zero points are stored less one in the first version of the format
  std::string text;             // for people: "GPTQ, 4 bits in groups of 128"; empty for kNone
};

// `config` is all of config.json. Errors: kUnsupported for a method, format or number of bits that is not
// read (named, with what is), kInvalid for values that cannot be.
Result<Quantization> read_quantization(const Json& config, const std::string& where);

}  // namespace ink
