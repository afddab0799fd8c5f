// See tensor/gguf_writer.h.
#include "tensor/gguf_writer.h"

#include <bit>

#include "base/checked.h"
#include "tensor/checkpoint_checks.h"

namespace ink {
namespace {

constexpr uint32_t kVersion = 3;
constexpr uint32_t kBoolType = 7;
constexpr uint32_t kStringType = 8;
constexpr uint32_t kArrayType = 9;

template <typename T>
void append_raw(std::string& out, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof raw);
  out.append(raw, sizeof raw);
}

void append_info(std::string& out, const PlannedTensor& tensor, uint64_t offset) {
  append_raw(out, uint64_t{tensor.name.size()});
  out += tensor.name;
  append_raw(out, static_cast<uint32_t>(tensor.shape.size()));
  for (size_t i = tensor.shape.size(); i-- > 0;) append_raw(out, tensor.shape[i]);  // innermost first
  append_raw(out, static_cast<uint32_t>(tensor.dtype));
  append_raw(out, offset);
}

uint64_t padding(uint64_t size, uint64_t alignment) { return (alignment - size % alignment) % alignment; }

}  // namespace

GgufWriter::GgufWriter(uint32_t alignment) : alignment_(alignment) {
  INK_CHECK(std::has_single_bit(alignment), "the alignment is a power of two");
  if (alignment != kDefaultGgufAlignment) add_number("general.alignment", alignment);
}

void GgufWriter::append_text(std::string_view text) {
  append(uint64_t{text.size()});
  metadata_ += text;
}

void GgufWriter::add_entry(std::string_view key, uint32_t type) {
  append_text(key);
  append(type);
  ++keys_;
}

void GgufWriter::add_array(std::string_view key, uint32_t type, uint64_t count) {
  add_entry(key, kArrayType);
  append(type);
  append(count);
}

void GgufWriter::add_bool(std::string_view key, bool value) {
  add_entry(key, kBoolType);
  append(static_cast<uint8_t>(value));
}

void GgufWriter::add_string(std::string_view key, std::string_view value) {
  add_entry(key, kStringType);
  append_text(value);
}

void GgufWriter::add_strings(std::string_view key, std::span<const std::string> values) {
  add_array(key, kStringType, values.size());
  for (const std::string& value : values) append_text(value);
}

void GgufWriter::add_encoded(const EncodedMeta& entry) {
  append_text(entry.key);
  metadata_.append(reinterpret_cast<const char*>(entry.value.data()), entry.value.size());
  ++keys_;
}

Status GgufWriter::write(const std::filesystem::path& path, const TensorSource& source) const {
  std::string header = "GGUF";
  append_raw(header, kVersion);
  append_raw(header, uint64_t{tensors_.size()});
  append_raw(header, keys_);
  header += metadata_;
  std::vector<uint64_t> sizes;
  uint64_t offset = 0;
  for (const PlannedTensor& tensor : tensors_) {
    const auto size = planned_size_bytes(tensor);
    if (!size.ok()) return size.error();
    const auto end = checked_add(offset, *size);
    const auto next = end ? checked_align(*end, alignment_) : std::nullopt;
    if (tensor.shape.size() > kMaxGgufDimensions || !next) {
      return Error{ErrorKind::kInvalid, tensor_place(path.string(), tensor.name),
                   "at most " + std::to_string(kMaxGgufDimensions) + " dimensions and 2^64 bytes", "more",
                   ""};
    }
    append_info(header, tensor, offset);
    sizes.push_back(*size);
    offset = *next;
  }
  if (!tensors_.empty()) header.append(padding(header.size(), alignment_), '\0');

  auto output = CheckpointOutput::create(path);
  if (!output.ok()) return output.error();
  if (auto status = output->write(std::as_bytes(std::span(header))); !status.ok()) return status;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (auto status = write_tensor(*output, source, i, sizes[i]); !status.ok()) return status;
    if (auto status = output->write_zeros(padding(sizes[i], alignment_)); !status.ok()) return status;
  }
  return output->commit();
}

}  // namespace ink
