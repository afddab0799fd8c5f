// The table of element types. Block sizes are facts of the GGUF format; everything that asks how long a row
// is asks here. Numbers without an entry (types that were withdrawn, or are newer than we are) are not found,
// so that the reader of a file can name the number instead of guessing a size.
#include "tensor/dtype.h"

#include <array>

#include "base/check.h"
#include "base/checked.h"

namespace ink {
namespace {

constexpr DtypeInfo kDtypes[] = {
    {Dtype::kF32, "F32", 1, 4, false},
    {Dtype::kF16, "F16", 1, 2, false},
    {Dtype::kQ4_0, "Q4_0", 32, 18, true},
    {Dtype::kQ4_1, "Q4_1", 32, 20, true},
    {Dtype::kQ5_0, "Q5_0", 32, 22, true},
    {Dtype::kQ5_1, "Q5_1", 32, 24, true},
    {Dtype::kQ8_0, "Q8_0", 32, 34, true},
    {Dtype::kQ2_K, "Q2_K", 256, 84, true},
    {Dtype::kQ3_K, "Q3_K", 256, 110, true},
    {Dtype::kQ4_K, "Q4_K", 256, 144, true},
    {Dtype::kQ5_K, "Q5_K", 256, 176, true},
    {Dtype::kQ6_K, "Q6_K", 256, 210, true},
    {Dtype::kIQ2_XXS, "IQ2_XXS", 256, 66, true},
    {Dtype::kIQ2_XS, "IQ2_XS", 256, 74, true},
    {Dtype::kIQ3_XXS, "IQ3_XXS", 256, 98, true},
    {Dtype::kIQ1_S, "IQ1_S", 256, 50, true},
    {Dtype::kIQ4_NL, "IQ4_NL", 32, 18, true},
    {Dtype::kIQ3_S, "IQ3_S", 256, 110, true},
    {Dtype::kIQ2_S, "IQ2_S", 256, 82, true},
    {Dtype::kIQ4_XS, "IQ4_XS", 256, 136, true},
    {Dtype::kI8, "I8", 1, 1, false},
    {Dtype::kI16, "I16", 1, 2, false},
    {Dtype::kI32, "I32", 1, 4, false},
    {Dtype::kI64, "I64", 1, 8, false},
    {Dtype::kF64, "F64", 1, 8, false},
    {Dtype::kIQ1_M, "IQ1_M", 256, 56, true},
    {Dtype::kBF16, "BF16", 1, 2, false},
    {Dtype::kTQ1_0, "TQ1_0", 256, 54, true},
    {Dtype::kTQ2_0, "TQ2_0", 256, 66, true},
    {Dtype::kMXFP4, "MXFP4", 32, 17, true},
    {Dtype::kNVFP4, "NVFP4", 64, 36, true},
};

constexpr DtypeInfo kFloat8 = {Dtype::kF8_E4M3, "F8_E4M3", 1, 1, false};

constexpr uint32_t kIdLimit = 64;  // larger than every known id of GGUF

// kById[id] is the entry's place in kDtypes, or -1.
constexpr std::array<int8_t, kIdLimit> kById = [] {
  std::array<int8_t, kIdLimit> places{};
  places.fill(-1);
  for (int8_t i = 0; const DtypeInfo& info : kDtypes) places[static_cast<uint32_t>(info.dtype)] = i++;
  return places;
}();

}  // namespace

const DtypeInfo* find_dtype(uint32_t gguf_id) {
  if (gguf_id >= kIdLimit || kById[gguf_id] < 0) return nullptr;
  return &kDtypes[kById[gguf_id]];
}

const DtypeInfo& dtype_info(Dtype dtype) {
  if (dtype == Dtype::kF8_E4M3) return kFloat8;
  const DtypeInfo* info = find_dtype(static_cast<uint32_t>(dtype));
  INK_CHECK(info != nullptr, "a Dtype that find_dtype does not know");
  return *info;
}

std::optional<uint64_t> size_bytes_of(Dtype dtype, uint64_t elements) {
  const DtypeInfo& info = dtype_info(dtype);
  const uint64_t block_elements = static_cast<uint64_t>(info.block_elements);
  if (elements % block_elements != 0) return std::nullopt;
  return checked_mul(elements / block_elements, static_cast<uint64_t>(info.block_bytes));
}

}  // namespace ink
