// Small weight files for the reader tests, made by our own writers, and a folder that cleans up after itself.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tensor/gguf_writer.h"
#include "tensor/safetensors_writer.h"

namespace ink::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            ("inkstone-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline void write_bytes(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Every byte of tensor i is a function of i and its position.
inline std::byte sample_byte(size_t tensor, size_t position) {
  return static_cast<std::byte>((tensor * 37 + position * 11) & 0x3f);
}

inline TensorSource sample_source(const std::vector<PlannedTensor>& tensors) {
  return [&tensors](size_t index, const TensorSink& sink) -> Status {
    std::vector<std::byte> data(planned_size_bytes(tensors[index]).value());
    for (size_t k = 0; k < data.size(); ++k) data[k] = sample_byte(index, k);
    const size_t half = data.size() / 2;  // two pieces
    if (auto status = sink(std::span(data).first(half)); !status.ok()) return status;
    return sink(std::span(data).subspan(half));
  };
}

// The last one fills its alignment, so that the file has no padding at its end.
inline std::vector<PlannedTensor> sample_tensors() {
  return {{"token_embd.weight", Dtype::kF32, {3, 5}},
          {"blk.0.attn_q.weight", Dtype::kQ8_0, {2, 32}},
          {"blk.0.ffn_gate_exps.weight", Dtype::kF16, {2, 2, 3}},
          {"output_norm.weight", Dtype::kF32, {8}}};
}

inline void write_sample_gguf(const std::filesystem::path& path, const std::vector<PlannedTensor>& tensors,
                              GgufWriter writer = GgufWriter()) {
  for (const PlannedTensor& tensor : tensors) writer.add_tensor(tensor);
  const auto written = writer.write(path, sample_source(tensors));
  ASSERT_TRUE(written.ok()) << written.error().message();
}

inline GgufWriter sample_metadata() {
  GgufWriter writer;
  writer.add_string("general.architecture", "qwen3");
  writer.add_number("qwen3.block_count", uint32_t{1});
  writer.add_number("qwen3.rope.freq_base", 1e6f);
  writer.add_bool("tokenizer.ggml.add_bos_token", false);
  writer.add_strings("tokenizer.ggml.tokens", std::vector<std::string>{"a", "", "灯"});
  writer.add_numbers<int32_t>("tokenizer.ggml.token_type", std::vector<int32_t>{1, 3, 1});
  return writer;
}

inline void write_sample_safetensors(const std::filesystem::path& path,
                                     const std::vector<PlannedTensor>& tensors) {
  SafetensorsWriter writer;
  for (const PlannedTensor& tensor : tensors) writer.add_tensor(tensor);
  const auto written = writer.write(path, sample_source(tensors));
  ASSERT_TRUE(written.ok()) << written.error().message();
}

}  // namespace ink::testing
