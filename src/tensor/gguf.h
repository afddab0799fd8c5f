// GGUF: a header, key-value metadata, tensor descriptions, aligned data. Versions 2 and 3, little-endian.
// Refused by name: version 1, big-endian files, nested arrays, types we do not know. Nothing is allocated for
// a number in the file before it was compared with what is left of the file. Strings stay in the mapping.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/checkpoint.h"

namespace ink {

struct GgufFile {
  std::map<std::string, MetaValue, std::less<>> metadata;
  std::vector<EncodedMeta> encoded_metadata;  // the same, in file order
  std::vector<FileTensor> tensors;            // in the order of the descriptions
};

// Caps beside those of checkpoint_checks.h; the data itself is capped by the file's length.
inline constexpr uint64_t kMaxGgufKeys = uint64_t{1} << 20;
inline constexpr uint64_t kMaxGgufKeyBytes = 65535;
inline constexpr uint64_t kMaxGgufStringBytes = uint64_t{1} << 30;
inline constexpr uint64_t kMaxGgufAlignment = uint64_t{1} << 20;
inline constexpr uint32_t kMaxGgufDimensions = 4;
inline constexpr uint64_t kDefaultGgufAlignment = 32;

// `bytes` is the whole file and must outlive the result; `name` is for messages. The padding after the last
// tensor may be missing as a whole (some writers leave it out), but a file that ends inside it was cut.
// Duplicate tensor names are left to the caller, who sees all parts of a split file.
Result<GgufFile> parse_gguf(std::span<const std::byte> bytes, const std::string& name);

}  // namespace ink
