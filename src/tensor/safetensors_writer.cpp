// See tensor/safetensors_writer.h.
#include "tensor/safetensors_writer.h"

#include <cstring>

#include "base/checked.h"
#include "base/json.h"
#include "tensor/checkpoint_checks.h"

namespace ink {
namespace {

bool is_plain(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
    case Dtype::kF16:
    case Dtype::kBF16:
    case Dtype::kF64:
    case Dtype::kI8:
    case Dtype::kI16:
    case Dtype::kI32:
    case Dtype::kI64:
    case Dtype::kF8_E4M3:
      return true;  // dtype_info has the names of safetensors
    default:
      return false;
  }
}

std::string entry_text(const PlannedTensor& tensor, uint64_t begin, uint64_t end) {
  std::string shape;
  for (const int64_t size : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(size);
  return json_text(tensor.name) + R"(:{"dtype":")" + std::string(dtype_info(tensor.dtype).name) +
         R"(","shape":[)" + shape + R"(],"data_offsets":[)" + std::to_string(begin) + "," +
         std::to_string(end) + "]}";
}

}  // namespace

Status SafetensorsWriter::write(const std::filesystem::path& path, const TensorSource& source) const {
  std::string header = R"({"__metadata__":{"format":"pt"})";
  std::vector<uint64_t> sizes;
  uint64_t begin = 0;
  for (const PlannedTensor& tensor : tensors_) {
    if (!is_plain(tensor.dtype)) {
      return Error{ErrorKind::kUnsupported, tensor_place(path.string(), tensor.name),
                   "a type that safetensors has", std::string(dtype_info(tensor.dtype).name), "write GGUF"};
    }
    const auto size = planned_size_bytes(tensor);
    if (!size.ok()) return size.error();
    const auto end = checked_add(begin, *size);
    if (!end) return Error{ErrorKind::kInvalid, path.string(), "fewer than 2^64 bytes", "more", ""};
    header += "," + entry_text(tensor, begin, *end);
    sizes.push_back(*size);
    begin = *end;
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');

  auto output = CheckpointOutput::create(path);
  if (!output.ok()) return output.error();
  const uint64_t length = header.size();
  if (auto status = output->write(std::as_bytes(std::span(&length, 1))); !status.ok()) return status;
  if (auto status = output->write(std::as_bytes(std::span(header))); !status.ok()) return status;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (auto status = write_tensor(*output, source, i, sizes[i]); !status.ok()) return status;
  }
  return output->commit();
}

}  // namespace ink
