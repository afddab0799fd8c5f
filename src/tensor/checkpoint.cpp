// Look-ups in an open Checkpoint; how one is opened is in checkpoint_open.cpp.
#include "tensor/checkpoint.h"

#include <limits>

namespace ink {
namespace {

template <typename T, typename Map>
const T* value_of(const Map& metadata, std::string_view key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? nullptr : std::get_if<T>(&found->second);
}

template <typename T>
std::optional<T> copied(const T* value) {
  return value == nullptr ? std::nullopt : std::optional<T>(*value);
}

}  // namespace

int64_t FileTensor::elements() const {
  int64_t product = 1;  // cannot overflow: the readers have checked it
  for (const int64_t size : shape) product *= size;
  return product;
}

const FileTensor* Checkpoint::find(std::string_view tensor_name) const {
  const auto found = index_.find(tensor_name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

std::optional<int64_t> Checkpoint::meta_int(std::string_view key) const {
  if (const auto* value = value_of<int64_t>(metadata_, key)) return *value;
  const auto* value = value_of<uint64_t>(metadata_, key);
  if (value == nullptr || *value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return std::nullopt;
  return static_cast<int64_t>(*value);
}

std::optional<double> Checkpoint::meta_float(std::string_view key) const {
  return copied(value_of<double>(metadata_, key));
}

std::optional<bool> Checkpoint::meta_bool(std::string_view key) const {
  return copied(value_of<bool>(metadata_, key));
}

std::optional<std::string_view> Checkpoint::meta_string(std::string_view key) const {
  return copied(value_of<std::string_view>(metadata_, key));
}

const MetaArray* Checkpoint::meta_array(std::string_view key) const {
  return value_of<MetaArray>(metadata_, key);
}

Result<std::string> Checkpoint::read_text(std::string_view file_name) const {
  if (folder_.empty()) {
    return Error{ErrorKind::kNotFound, name_, "", "has no folder with a " + std::string(file_name), ""};
  }
  return read_text_file(folder_ / file_name, kMaxSideFileBytes);
}

Result<Json> Checkpoint::read_json(std::string_view file_name) const {
  auto text = read_text(file_name);
  if (!text.ok()) return text.error();
  return parse_json(*text, (folder_ / file_name).string());
}

void Checkpoint::drop_pages() const {
  for (const auto& file : files_) file->drop_pages();
}

}  // namespace ink
