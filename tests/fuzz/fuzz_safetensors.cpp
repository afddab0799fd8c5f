// safetensors from any bytes, and the same bytes as a shard index: what is accepted covers the data exactly.
#include <cstdint>
#include <cstdlib>

#include "tensor/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto tensors = ink::parse_safetensors(bytes, "fuzz.safetensors");
  if (tensors.ok()) {
    const std::byte* position = nullptr;
    for (const ink::FileTensor& tensor : *tensors) {
      if (position != nullptr && tensor.bytes.data() != position) std::abort();
      position = tensor.bytes.data() + tensor.bytes.size();
    }
    if (position != nullptr && position != bytes.data() + bytes.size()) std::abort();
  } else if (tensors.error().message().size() < 10) {
    std::abort();
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto index = ink::parse_safetensors_index(text, "fuzz.index.json");
  if (!index.ok()) return 0;
  for (const auto& [file, names] : *index) {
    if (names.empty() || file.find('/') != std::string::npos || file.front() == '.') std::abort();
  }
  return 0;
}
