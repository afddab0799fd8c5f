// The element types of weights as files store them, numbered as GGUF numbers them; types that only
// safetensors has are numbered from 2^16 on.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ink {

enum class Dtype : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kIQ2_XXS = 16,
  kIQ2_XS = 17,
  kIQ3_XXS = 18,
  kIQ1_S = 19,
  kIQ4_NL = 20,
  kIQ3_S = 21,
  kIQ2_S = 22,
  kIQ4_XS = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kIQ1_M = 29,
  kBF16 = 30,
  kTQ1_0 = 34,
  kTQ2_0 = 35,
  kMXFP4 = 39,
  kNVFP4 = 40,
  kF8_E4M3 = 0x10000,
};

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;  // as GGUF tools print it: "Q4_K"
  int block_elements;     // consecutive elements of a row that share one block
  int block_bytes;
  bool is_quantized;
};

// Nothing when the number is not a type we know; the caller reports the number.
const DtypeInfo* find_dtype(uint32_t gguf_id);
const DtypeInfo& dtype_info(Dtype dtype);

// Bytes of `elements` consecutive elements; nothing when they do not fill whole blocks or the product
// overflows.
std::optional<uint64_t> size_bytes_of(Dtype dtype, uint64_t elements);

}  // namespace ink
