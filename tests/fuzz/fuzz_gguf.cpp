// GGUF from any bytes: opening either fails with a message or gives tensors and metadata that can be read.
#include <cstdint>
#include <cstdlib>

#include "tensor/checkpoint.h"

namespace {

// Reads all of it, so that the sanitizers see a span that reaches outside.
uint64_t touch(const ink::Checkpoint& checkpoint) {
  uint64_t sum = 0;
  for (const ink::FileTensor& tensor : checkpoint.tensors()) {
    if (checkpoint.find(tensor.name) != &tensor || tensor.elements() < 1) std::abort();
    for (const std::byte byte : tensor.bytes) sum += std::to_integer<uint64_t>(byte);
  }
  for (const auto& [key, value] : checkpoint.metadata()) {
    sum += static_cast<uint64_t>(checkpoint.meta_int(key).value_or(0));
    sum += checkpoint.meta_string(key).value_or("").size();
    for (const char c : checkpoint.meta_string(key).value_or("")) sum += static_cast<unsigned char>(c);
    const ink::MetaArray* array = checkpoint.meta_array(key);
    if (array == nullptr) continue;
    if (const auto* texts = std::get_if<std::vector<std::string_view>>(array)) {
      for (const std::string_view text : *texts) {
        for (const char c : text) sum += static_cast<unsigned char>(c);
      }
    }
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto checkpoint = ink::Checkpoint::from_gguf_bytes(std::as_bytes(std::span(data, size)), "fuzz.gguf");
  if (!checkpoint.ok()) {
    if (checkpoint.error().message().size() < 10) std::abort();
    return 0;
  }
  volatile uint64_t sum = touch(*checkpoint);
  static_cast<void>(sum);
  return 0;
}
