// The formats in one table, and the loops over blocks that are the same for all of them. What a block means
// is in quants_decode*.cpp and quants_encode.cpp.
//
// Float values are scale * q + offset for every format, also where the reference writes scale * (q - zero): a
// scale (f16 times a small integer) times q never has more than 24 significant bits, so each product is exact
// in f32 and only the one sum is rounded, as in the reference. What differs: the sign of a zero, and infinite
// scales with an offset.
#include "tensor/quants.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "tensor/quants_blocks.h"

namespace ink {
namespace {

struct Format {
  Dtype dtype;
  blocks::Decode decode;
  blocks::Encode encode;  // null: no quantizer
  bool scale_per_32;
  bool nibbles;
  bool symmetric;
};

constexpr bool kPer16 = false, kPer32 = true;
constexpr bool kBytes = false, kNibbles = true;
constexpr bool kOffset = false, kSymmetric = true;

constexpr Format kFormats[] = {
    {Dtype::kQ4_0, blocks::decode_q4_0, blocks::encode_q4_0, kPer32, kNibbles, kOffset},
    {Dtype::kQ4_1, blocks::decode_q4_1, blocks::encode_q4_1, kPer32, kNibbles, kOffset},
    {Dtype::kQ5_0, blocks::decode_q5_0, blocks::encode_q5_0, kPer32, kBytes, kSymmetric},
    {Dtype::kQ5_1, blocks::decode_q5_1, blocks::encode_q5_1, kPer32, kBytes, kOffset},
    {Dtype::kQ8_0, blocks::decode_q8_0, blocks::encode_q8_0, kPer32, kBytes, kSymmetric},
    {Dtype::kQ2_K, blocks::decode_q2_k, nullptr, kPer16, kBytes, kOffset},
    {Dtype::kQ3_K, blocks::decode_q3_k, nullptr, kPer16, kBytes, kSymmetric},
    {Dtype::kQ4_K, blocks::decode_q4_k, nullptr, kPer32, kNibbles, kOffset},
    {Dtype::kQ5_K, blocks::decode_q5_k, nullptr, kPer32, kBytes, kOffset},
    {Dtype::kQ6_K, blocks::decode_q6_k, nullptr, kPer16, kBytes, kSymmetric},
    {Dtype::kTQ1_0, blocks::decode_tq1_0, blocks::encode_tq1_0, kPer32, kBytes, kSymmetric},
    {Dtype::kTQ2_0, blocks::decode_tq2_0, blocks::encode_tq2_0, kPer32, kBytes, kSymmetric},
    {Dtype::kMXFP4, blocks::decode_mxfp4, blocks::encode_mxfp4, kPer32, kBytes, kSymmetric},
    {Dtype::kNVFP4, blocks::decode_nvfp4, nullptr, kPer16, kBytes, kSymmetric},
    {Dtype::kIQ1_S, blocks::decode_iq1_s, nullptr, kPer32, kBytes, kSymmetric},
    {Dtype::kIQ1_M, blocks::decode_iq1_m, nullptr, kPer16, kBytes, kSymmetric},
    {Dtype::kIQ2_XXS, blocks::decode_iq2_xxs, nullptr, kPer32, kBytes, kSymmetric},
    {Dtype::kIQ2_XS, blocks::decode_iq2_xs, nullptr, kPer16, kBytes, kSymmetric},
    {Dtype::kIQ2_S, blocks::decode_iq2_s, nullptr, kPer16, kBytes, kSymmetric},
    {Dtype::kIQ3_XXS, blocks::decode_iq3_xxs, nullptr, kPer32, kBytes, kSymmetric},
    {Dtype::kIQ3_S, blocks::decode_iq3_s, nullptr, kPer32, kBytes, kSymmetric},
    {Dtype::kIQ4_NL, blocks::decode_iq4_nl, nullptr, kPer32, kBytes, kSymmetric},
    {Dtype::kIQ4_XS, blocks::decode_iq4_xs, nullptr, kPer32, kBytes, kSymmetric},
};

// Null for the types that are not quantized.
const Format* find_format(Dtype dtype) {
  for (const Format& format : kFormats) {
    if (format.dtype == dtype) return &format;
  }
  return nullptr;
}

void to_floats(const Group32& group, float* __restrict values) {
  for (int half = 0; half < 2; ++half) {
    const float scale = group.scale[half];
    const float offset = group.offset[half];
    for (int i = 16 * half; i < 16 * half + 16; ++i) {
      values[i] = scale * static_cast<float>(group.q[i]) + offset;
    }
  }
}

void dequantize_blocks(const Format& format, const uint8_t* row, int64_t elements, float* values) {
  const DtypeInfo& info = dtype_info(format.dtype);
  Group32 groups[blocks::kLargestBlock / 32];
  for (int64_t done = 0; done < elements; done += info.block_elements) {
    format.decode(row, groups);
    row += info.block_bytes;
    for (int i = 0; i < info.block_elements; i += 32) to_floats(groups[i / 32], values + done + i);
  }
}

void widen_halves(Dtype dtype, const uint8_t* row, int64_t elements, float* values) {
  if (dtype == Dtype::kF16) {
    for (int64_t i = 0; i < elements; ++i) values[i] = f16_to_f32(blocks::load_u16(row + 2 * i));
  } else {
    for (int64_t i = 0; i < elements; ++i) values[i] = bf16_to_f32(blocks::load_u16(row + 2 * i));
  }
}

void narrow_to_halves(Dtype dtype, const float* values, int64_t elements, uint8_t* row) {
  if (dtype == Dtype::kF16) {
    for (int64_t i = 0; i < elements; ++i) blocks::store_u16(row + 2 * i, f32_to_f16(values[i]));
  } else {
    for (int64_t i = 0; i < elements; ++i) blocks::store_u16(row + 2 * i, f32_to_bf16(values[i]));
  }
}

bool is_plain_float(Dtype dtype) {
  return dtype == Dtype::kF32 || dtype == Dtype::kF16 || dtype == Dtype::kBF16;
}

void check_whole_blocks(Dtype dtype, int64_t elements) {
  INK_CHECK(elements >= 0 && elements % dtype_info(dtype).block_elements == 0, "a row must fill its blocks");
}

}  // namespace

void decode_groups(Dtype dtype, const std::byte* row, int64_t first, int64_t count, Group32* groups) {
  const Format* format = find_format(dtype);
  INK_CHECK(format != nullptr, "decode_groups of a type that is not quantized");
  INK_CHECK(first >= 0 && count >= 0, "groups before the row");
  const DtypeInfo& info = dtype_info(dtype);
  const int64_t per_block = info.block_elements / 32;
  const auto* block = reinterpret_cast<const uint8_t*>(row) + first / per_block * info.block_bytes;
  int64_t skip = first % per_block;
  while (count > 0) {
    const int64_t take = std::min(per_block - skip, count);
    if (take == per_block) {
      format->decode(block, groups);
    } else {
      Group32 whole[blocks::kLargestBlock / 32];
      format->decode(block, whole);
      std::copy_n(whole + skip, take, groups);
    }
    block += info.block_bytes;
    groups += take;
    count -= take;
    skip = 0;
  }
}

void decode_super_scales(Dtype dtype, const std::byte* row, int64_t first, int64_t count,
                         SuperScales* scales) {
  INK_CHECK(dtype == Dtype::kQ4_K || dtype == Dtype::kQ6_K, "a type without these scales");
  const int64_t block_bytes = dtype_info(dtype).block_bytes;
  const auto* block = reinterpret_cast<const uint8_t*>(row) + first * block_bytes;
  for (int64_t i = 0; i < count; ++i, block += block_bytes) {
    dtype == Dtype::kQ4_K ? blocks::super_scales_of_q4_k(block, scales[i])
                          : blocks::super_scales_of_q6_k(block, scales[i]);
  }
}

bool has_scale_per_32(Dtype dtype) {
  const Format* format = find_format(dtype);
  return format != nullptr && format->scale_per_32;
}

bool is_nibble_type(Dtype dtype) {
  const Format* format = find_format(dtype);
  return format != nullptr && format->nibbles;
}

bool is_symmetric(Dtype dtype) {
  const Format* format = find_format(dtype);
  return format != nullptr && format->symmetric;
}

void dequantize_row(Dtype dtype, const std::byte* row, int64_t elements, float* values) {
  check_whole_blocks(dtype, elements);
  INK_CHECK(dequantizable(dtype), "dequantize_row of a type without float values");
  const auto* bytes = reinterpret_cast<const uint8_t*>(row);
  if (const Format* format = find_format(dtype)) {
    dequantize_blocks(*format, bytes, elements, values);
  } else if (dtype != Dtype::kF32) {
    widen_halves(dtype, bytes, elements, values);
  } else if (elements > 0) {
    std::memcpy(values, bytes, static_cast<size_t>(elements) * sizeof(float));
  }
}

bool dequantizable(Dtype dtype) { return is_plain_float(dtype) || find_format(dtype) != nullptr; }

bool quantize_row(Dtype dtype, const float* values, int64_t elements, std::byte* row) {
  if (!quantizable(dtype)) return false;
  check_whole_blocks(dtype, elements);
  auto* bytes = reinterpret_cast<uint8_t*>(row);
  if (const Format* format = find_format(dtype)) {
    const DtypeInfo& info = dtype_info(dtype);
    for (int64_t done = 0; done < elements; done += info.block_elements, bytes += info.block_bytes) {
      format->encode(values + done, bytes);
    }
  } else if (dtype != Dtype::kF32) {
    narrow_to_halves(dtype, values, elements, bytes);
  } else if (elements > 0) {
    std::memcpy(bytes, values, static_cast<size_t>(elements) * sizeof(float));
  }
  return true;
}

bool quantizable(Dtype dtype) {
  const Format* format = find_format(dtype);
  return format != nullptr ? format->encode != nullptr : is_plain_float(dtype);
}

}  // namespace ink
