// Writes GGUF version 3: metadata in the order it was added, then tensors in theirs, each padded to the
// alignment (the last one too, as llama.cpp's reader wants it). Only metadata is held in memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tensor/checkpoint_output.h"
#include "tensor/gguf.h"

namespace ink {

class GgufWriter {
 public:
  // An alignment other than the default is written as general.alignment; it must be a power of two.
  explicit GgufWriter(uint32_t alignment = kDefaultGgufAlignment);

  // Numbers keep their type: add_number("qwen3.block_count", uint32_t{28}).
  template <typename T>
  void add_number(std::string_view key, T value) {
    add_entry(key, gguf_type<T>());
    append(value);
  }
  template <typename T>
  void add_numbers(std::string_view key, std::span<const T> values) {
    add_array(key, gguf_type<T>(), values.size());
    for (const T value : values) append(value);
  }
  void add_bool(std::string_view key, bool value);
  void add_string(std::string_view key, std::string_view value);
  void add_strings(std::string_view key, std::span<const std::string> values);
  void add_encoded(const EncodedMeta& entry);  // from another file, unchanged

  void add_tensor(PlannedTensor tensor) { tensors_.push_back(std::move(tensor)); }

  // Errors: kInvalid for a shape that GGUF cannot hold, kIo from the disk, or whatever the source returns.
  Status write(const std::filesystem::path& path, const TensorSource& source) const;

 private:
  template <typename T>
  static constexpr uint32_t gguf_type() {
    if constexpr (std::is_same_v<T, float>) return 6;
    if constexpr (std::is_same_v<T, double>) return 12;
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>, "use add_bool");
    const uint32_t small = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 2 : sizeof(T) == 4 ? 4 : 10;
    return small + (std::is_signed_v<T> ? 1 : 0);
  }
  template <typename T>
  void append(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof raw);
    metadata_.append(raw, sizeof raw);
  }
  void append_text(std::string_view text);
  void add_entry(std::string_view key, uint32_t type);
  void add_array(std::string_view key, uint32_t type, uint64_t count);

  uint32_t alignment_;
  uint64_t keys_ = 0;
  std::string metadata_;  // encoded
  std::vector<PlannedTensor> tensors_;
};

}  // namespace ink
