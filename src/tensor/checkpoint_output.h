// A file that appears whole or not at all, written in pieces: weights of many gigabytes are never in memory.
// The pieces go to a temporary file in the same folder; commit() flushes it and renames it into place.
// Without commit (an error, a full disk) the temporary is removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/dtype.h"

namespace ink {

class CheckpointOutput {
 public:
  static Result<CheckpointOutput> create(const std::filesystem::path& path);

  CheckpointOutput(CheckpointOutput&& other) noexcept;
  CheckpointOutput& operator=(CheckpointOutput&&) = delete;
  ~CheckpointOutput();

  Status write(std::span<const std::byte> bytes);
  Status write_zeros(uint64_t count);
  Status commit();
  uint64_t written() const { return written_; }  // bytes so far

 private:
  CheckpointOutput(std::filesystem::path path, std::filesystem::path temporary, int fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_;
  uint64_t written_ = 0;
};

// A tensor to be written; the shape is outermost first, as in FileTensor.
struct PlannedTensor {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;
};

// Bytes the tensor takes, or kInvalid for a shape that is empty, negative or not of whole blocks.
Result<uint64_t> planned_size_bytes(const PlannedTensor& tensor);

// Takes a piece of the current tensor's data.
using TensorSink = std::function<Status(std::span<const std::byte>)>;
// Is called once per tensor, in order, and gives all of its bytes to the sink, in pieces of any size. An
// error from the sink or of its own ends the writing.
using TensorSource = std::function<Status(size_t index, const TensorSink& sink)>;

// Writes one tensor through the source; giving more or fewer bytes than planned is the caller's mistake.
Status write_tensor(CheckpointOutput& output, const TensorSource& source, size_t index, uint64_t size_bytes);

}  // namespace ink
