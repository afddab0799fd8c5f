// Checks and words that the GGUF and the safetensors reader share. Names in a weight file are somebody else's
// bytes: they go into a message only through printable(), so that a file cannot write to a terminal.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/checkpoint.h"

namespace ink {

inline constexpr size_t kMaxTensorNameBytes = 1024;
inline constexpr uint64_t kMaxTensorCount = uint64_t{1} << 20;

// The text with bytes outside printable ASCII and valid UTF-8 as \xNN, cut after 120 bytes.
std::string printable(std::string_view text);

// "FILE: tensor NAME".
std::string tensor_place(const std::string& file_name, std::string_view tensor_name);

// Indices of the tensors in the order of their bytes (all in one file).
std::vector<size_t> order_of_bytes(const std::vector<FileTensor>& tensors);

// kInvalid when two tensors of one file share bytes.
Status check_no_overlap(const std::vector<FileTensor>& tensors, const std::byte* data_start,
                        const std::string& file_name);

}  // namespace ink
