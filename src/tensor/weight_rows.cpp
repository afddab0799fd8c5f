// See tensor/weight_rows.h.
#include "tensor/weight_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace ink {
namespace {

RowKind kind_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return RowKind::kF32;
    case Dtype::kF16:
      return RowKind::kF16;
    case Dtype::kBF16:
      return RowKind::kBF16;
    case Dtype::kQ4_0:
      return RowKind::kHalfNibbles;
    case Dtype::kQ4_K:
      return RowKind::kSuperNibbles;
    case Dtype::kQ6_K:
      return RowKind::kSuperSixBits;
    case Dtype::kQ8_0:
      return RowKind::kHalfBytes;
    default:
      break;
  }
  if (is_nibble_type(dtype)) return RowKind::kNibbles;
  return has_scale_per_32(dtype) && is_symmetric(dtype) ? RowKind::kBytes : RowKind::kFineBytes;
}

bool has_two_levels(RowKind kind) { return kind == RowKind::kSuperNibbles || kind == RowKind::kSuperSixBits; }

// The loops have no early exit, so that they become vector instructions.
bool all_finite(const std::vector<float>& values) {
  unsigned bad = 0;
  for (const float value : values) bad |= static_cast<unsigned>(!std::isfinite(value));
  return bad == 0;
}

bool all_finite(const std::vector<uint16_t>& halves, unsigned exponent) {
  unsigned bad = 0;
  for (const uint16_t bits : halves) bad |= static_cast<unsigned>((bits & exponent) == exponent);
  return bad == 0;
}

bool all_finite(const std::vector<Group32>& groups) {
  bool finite = true;
  for (const Group32& group : groups) {
    for (int half = 0; half < 2; ++half)
      finite &= std::isfinite(group.scale[half]) && std::isfinite(group.offset[half]);
  }
  return finite;
}

}  // namespace

void WeightRows::read_halves(int64_t, uint16_t*) const {
  INK_CHECK(false, "these rows have no 16-bit floats");
}

void WeightRows::read_groups(int64_t, Group32*) const { INK_CHECK(false, "these rows have no integers"); }

void WeightRows::read_super_scales(int64_t, SuperScales*) const {
  INK_CHECK(false, "these rows have no two levels of scales");
}

std::string WeightRows::place(int64_t row, int64_t col) const {
  return "row " + std::to_string(row) + ", column " + std::to_string(col);
}

PlainRows::PlainRows(Dtype dtype, const std::byte* data, int64_t rows, int64_t cols)
    : WeightRows(kind_of(dtype), rows, cols), dtype_(dtype), data_(data) {
  const auto bytes = size_bytes_of(dtype, static_cast<uint64_t>(cols));
  INK_CHECK(bytes.has_value() && dequantizable(dtype), "rows of a weight are whole blocks");
  row_bytes_ = *bytes;
}

const std::byte* PlainRows::row_data(int64_t row) const {
  return data_ + static_cast<uint64_t>(row) * row_bytes_;
}

void PlainRows::read_floats(int64_t row, float* values) const {
  dequantize_row(dtype_, row_data(row), cols(), values);
}

void PlainRows::read_halves(int64_t row, uint16_t* bits) const {
  INK_CHECK(kind() == RowKind::kF16 || kind() == RowKind::kBF16, "these rows have no 16-bit floats");
  std::memcpy(bits, row_data(row), row_bytes_);
}

void PlainRows::read_groups(int64_t row, Group32* groups) const {
  decode_groups(dtype_, row_data(row), 0, cols() / 32, groups);
}

void PlainRows::read_super_scales(int64_t row, SuperScales* scales) const {
  decode_super_scales(dtype_, row_data(row), 0, cols() / 256, scales);
}

bool RowBuffer::read(const WeightRows& weights, int64_t row, bool as_floats) {
  const auto cols = static_cast<size_t>(weights.cols());
  const RowKind kind = weights.kind();
  if (as_floats || kind == RowKind::kF32) {
    floats.resize(cols);
    weights.read_floats(row, floats.data());
    return all_finite(floats);
  }
  if (kind == RowKind::kF16 || kind == RowKind::kBF16) {
    halves.resize(cols);
    weights.read_halves(row, halves.data());
    return all_finite(halves, kind == RowKind::kF16 ? 0x7c00u : 0x7f80u);
  }
  groups.resize(cols / 32);
  weights.read_groups(row, groups.data());
  if (has_two_levels(kind)) {
    supers.resize(cols / 256);
    weights.read_super_scales(row, supers.data());
  }
  return all_finite(groups);
}

std::string not_finite_place(const WeightRows& weights, int64_t row) {
  std::vector<float> values(static_cast<size_t>(weights.cols()));
  weights.read_floats(row, values.data());
  const auto bad =
      std::find_if_not(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  return weights.place(row, bad - values.begin());
}

std::optional<std::string> find_not_finite(const WeightRows& weights, ThreadPool& threads) {
  constexpr int64_t kRowsWorthAThread = 64;
  LowestRow bad;
  std::vector<RowBuffer> buffers(static_cast<size_t>(threads.size()));
  threads.parallel_for(weights.rows(), kRowsWorthAThread, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t row = begin; row < end; ++row) {
      if (!buffers[static_cast<size_t>(thread)].read(weights, row, false)) bad.note(row);
    }
  });
  if (!bad.get()) return std::nullopt;
  return not_finite_place(weights, *bad.get());
}

}  // namespace ink
