// A quantized checkpoint from any bytes: a config, what shape of matrix is asked for, and a safetensors file.
// What config and tensors agree on can be read, every row of it, as floats and as integers that keep their
// promises.
//
// The input: rows and columns in two bytes each, config.json up to a zero byte, then the file.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "models/quantized_weights.h"

namespace {

bool is_nibble_kind(ink::RowKind kind) {
  return kind == ink::RowKind::kNibbles || kind == ink::RowKind::kHalfNibbles;
}

bool has_no_offset(ink::RowKind kind) {
  return kind == ink::RowKind::kBytes || kind == ink::RowKind::kHalfBytes;
}

void read_all(const ink::WeightRows& weights) {
  std::vector<float> values(static_cast<size_t>(weights.cols()));
  std::vector<ink::Group32> groups(static_cast<size_t>(weights.cols() / 32));
  for (int64_t row = 0; row < weights.rows(); ++row) {
    weights.read_floats(row, values.data());
    if (weights.place(row, weights.cols() - 1).empty()) std::abort();
    if (weights.kind() == ink::RowKind::kF32) continue;
    weights.read_groups(row, groups.data());
    for (const ink::Group32& group : groups) {
      const bool nibbles = std::all_of(group.q, group.q + 32, [](int8_t q) { return q >= 0 && q <= 15; });
      if (is_nibble_kind(weights.kind()) && !nibbles) std::abort();
      const bool offset = std::isfinite(group.offset[0]) && group.offset[0] != 0;
      if (has_no_offset(weights.kind()) && offset) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kShapeBytes = 4;
  if (size < kShapeBytes) return 0;
  const int64_t rows = 1 + (data[0] | (data[1] & 3) << 8);
  const int64_t cols = 1 + (data[2] | (data[3] & 3) << 8);
  const uint8_t* text_end = std::find(data + kShapeBytes, data + size, uint8_t{0});
  if (text_end == data + size) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + kShapeBytes,
                              static_cast<size_t>(text_end - data) - kShapeBytes);
  const auto config = ink::parse_json(text, "config.json");
  if (!config.ok() || !config->is_object()) return 0;
  const auto quantization = ink::read_quantization(*config, "config.json");
  if (!quantization.ok()) {
    if (quantization.error().message().size() < 10) std::abort();
    return 0;
  }
  const auto file = std::as_bytes(std::span(text_end + 1, data + size));
  const auto checkpoint = ink::Checkpoint::from_safetensors_bytes(file, "fuzz.safetensors");
  if (!checkpoint.ok() || quantization->method == ink::Quantization::Method::kNone) return 0;
  std::set<std::string> names;
  for (const ink::FileTensor& tensor : checkpoint->tensors()) {
    if (names.size() < 4) names.insert(tensor.name.substr(0, tensor.name.rfind('.')));
  }
  for (const std::string& name : names) {
    for (const int64_t experts : {0, 2}) {
      ink::WeightProblems problems;
      const auto weights =
          open_quantized(*checkpoint, *quantization, {name, rows, cols, experts, experts / 2}, problems);
      if ((weights == nullptr) == problems.list.empty()) std::abort();
      if (weights != nullptr) read_all(*weights);
    }
  }
  return 0;
}
