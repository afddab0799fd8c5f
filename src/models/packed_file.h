// Packed matrices in a file of our own, so that a model which was packed once is mapped the next time: a
// program that starts reads only what it uses. The file says for what it was made (a key of 64 hexadecimal
// digits at most, see runtime/pack_cache.h) and how long it is; anything else than expected makes it
// unusable, never wrong: it belongs to whoever wrote it and is rewritten. It is not checked bit by bit.
//
// The matrices stand in the order in which the model asks for them, each at a whole number of pages; their
// classes and sizes follow from the source and are not repeated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/huge_pages.h"
#include "base/mapped_file.h"
#include "base/result.h"
#include "kernels/pack.h"
#include "tensor/checkpoint_output.h"

namespace ink {

// Where the packed form of a model is, or is to be.
struct PackedPlace {
  std::filesystem::path path;
  std::string key;
  // Asked for room when there is no usable file yet; none, or false: nothing is written.
  std::function<bool(uint64_t bytes)> make_room;
};

class PackedFile {
 public:
  // Nothing when there is no usable file for this key with `bytes` (packed_file_bytes of all matrices).
  static std::optional<PackedFile> open(const PackedPlace& place, uint64_t bytes);
  // The next matrix, in place.
  PackedMatrix next(WeightClass weight_class, int64_t rows, int64_t cols);

 private:
  // A mapping that its weights hold, and which moves into huge pages once the first answer is under way.
  struct Memory {
    explicit Memory(std::shared_ptr<const MappedFile> file)
        : mapped(std::move(file)), mover(mapped->bytes()) {}
    std::shared_ptr<const MappedFile> mapped;
    HugePageMover mover;
  };
  explicit PackedFile(std::shared_ptr<const MappedFile> file)
      : memory_(std::make_shared<const Memory>(std::move(file))) {}
  std::span<const std::byte> bytes() const { return memory_->mapped->bytes(); }
  std::shared_ptr<const Memory> memory_;
  uint64_t place_ = 0;
};

class PackedFileWriter {
 public:
  // Errors: kIo (a folder that cannot be written to, a full disk).
  static Result<PackedFileWriter> create(const PackedPlace& place, uint64_t bytes);
  Status add(const PackedMatrix& matrix);
  Status commit();  // only now the file is there

 private:
  explicit PackedFileWriter(CheckpointOutput output) : output_(std::move(output)) {}
  CheckpointOutput output_;
};

// Bytes that a matrix takes in the file.
uint64_t packed_file_bytes(WeightClass weight_class, int64_t rows, int64_t cols);

}  // namespace ink
