// One face for every weight file: GGUF (single or split) and safetensors (single, sharded, or a folder). A
// tensor is a name, a type, a shape and bytes in a mapping that lives as long as the Checkpoint; nothing is
// copied. Names and metadata are the file's own: what they mean for a model is decided in models/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "base/result.h"
#include "tensor/dtype.h"

namespace ink {

struct FileTensor {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;  // outermost first, as safetensors and PyTorch have it (GGUF's order reversed)
  // Rows are contiguous; the length has been checked against type and shape. Not always aligned to the type:
  // safetensors promises nothing, so read numbers through memcpy or unaligned loads.
  std::span<const std::byte> bytes;

  int64_t elements() const;
};

// A GGUF metadata value. Integers of every width arrive as int64 or uint64, floats as double. Large arrays
// stay typed so that a vocabulary is not one variant per token: integers as int64, u8 and bool as uint8.
using MetaArray = std::variant<std::vector<int64_t>, std::vector<double>, std::vector<uint8_t>,
                               std::vector<std::string_view>>;
using MetaValue = std::variant<int64_t, uint64_t, double, bool, std::string_view, MetaArray>;

// A metadata entry as it lies in the file: the value's type, then the value. For copying it unchanged.
struct EncodedMeta {
  std::string_view key;
  std::span<const std::byte> value;
};

inline constexpr uint64_t kMaxSideFileBytes = uint64_t{256} << 20;  // Qwen's tokenizer.json has 11 MB

enum class CheckpointFormat { kGguf, kSafetensors };

class Checkpoint {
 public:
  // A .gguf file (any part of a split finds the others), a .safetensors file, a *.safetensors.index.json, or
  // a folder with one of them (model.safetensors first, then the index, then the only .gguf). Every size is
  // checked against the files before anything is believed.
  static Result<Checkpoint> open(const std::filesystem::path& path);
  // A file that is already in memory and outlives the Checkpoint (the embedded model, a fuzz input).
  static Result<Checkpoint> from_gguf_bytes(std::span<const std::byte> bytes, std::string name);
  static Result<Checkpoint> from_safetensors_bytes(std::span<const std::byte> bytes, std::string name);

  // Movable only: the index points into the tensors.
  Checkpoint(Checkpoint&&) = default;
  Checkpoint& operator=(Checkpoint&&) = default;
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  CheckpointFormat format() const { return format_; }
  const std::string& name() const { return name_; }  // for messages: the file's or folder's name
  const std::filesystem::path& folder() const { return folder_; }  // of the files; empty for bytes in memory
  uint64_t size_bytes() const { return size_bytes_; }              // of all weight files
  const std::vector<std::filesystem::path>& files() const { return paths_; }  // the weight files

  const std::vector<FileTensor>& tensors() const { return tensors_; }  // in file order
  const FileTensor* find(std::string_view tensor_name) const;          // null when there is none

  // GGUF metadata; empty for safetensors.
  const std::map<std::string, MetaValue, std::less<>>& metadata() const { return metadata_; }
  const std::vector<EncodedMeta>& encoded_metadata() const { return encoded_metadata_; }  // in file order
  // Typed look-ups: nothing when the key is absent or of another kind (integers convert when they fit).
  std::optional<int64_t> meta_int(std::string_view key) const;
  std::optional<double> meta_float(std::string_view key) const;
  std::optional<bool> meta_bool(std::string_view key) const;
  std::optional<std::string_view> meta_string(std::string_view key) const;
  const MetaArray* meta_array(std::string_view key) const;

  // A JSON file beside the weights: config.json, generation_config.json, tokenizer_config.json.
  // kNotFound when it is not there. read_text for the same without parsing (tokenizer.json,
  // chat_template.jinja). kTooLarge above kMaxSideFileBytes.
  Result<Json> read_json(std::string_view file_name) const;
  Result<std::string> read_text(std::string_view file_name) const;

  // Lets the system take back the pages of the mappings after the weights were packed.
  void drop_pages() const;

 private:
  friend struct CheckpointBuilder;  // checkpoint_open.cpp
  Checkpoint() = default;
  CheckpointFormat format_ = CheckpointFormat::kGguf;
  std::string name_;
  std::filesystem::path folder_;
  uint64_t size_bytes_ = 0;
  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::vector<std::filesystem::path> paths_;  // of files_
  std::vector<FileTensor> tensors_;
  std::unordered_map<std::string_view, size_t> index_;  // keys point into tensors_[i].name
  std::map<std::string, MetaValue, std::less<>> metadata_;
  std::vector<EncodedMeta> encoded_metadata_;
};

}  // namespace ink
