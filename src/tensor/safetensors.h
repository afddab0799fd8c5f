// safetensors: eight bytes of header length, a JSON header, the data. As strict as the format's own reader:
// the tensors cover the data without a hole or an overlap and the file ends with the last one. The header is
// read as a stream of JSON events, not as a tree: a file may name 2^20 tensors, and our ordered JSON objects
// look keys up by walking, so a tree would take quadratic time (and swallow duplicate names).
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/checkpoint.h"

namespace ink {

inline constexpr uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;  // the format's own cap
inline constexpr size_t kMaxSafetensorsDimensions = 8;

// `bytes` is the whole file and must outlive the result; the tensors come in the order of their data. U8 and
// BOOL arrive as kI8 (plain bytes). Data may lie at odd addresses: the format does not promise alignment.
// Other element types are kUnsupported, by name. Duplicate names are left to the caller, who sees all shards.
Result<std::vector<FileTensor>> parse_safetensors(std::span<const std::byte> bytes, const std::string& name);

// model.safetensors.index.json: for each file name the tensors it must have. File names are plain names in
// the same folder; anything that could leave it is refused.
using SafetensorsIndex = std::map<std::string, std::vector<std::string>>;
Result<SafetensorsIndex> parse_safetensors_index(std::string_view text, const std::string& name);

}  // namespace ink
