// A file mapped read-only, or read whole where mapping is refused (a pipe). Weights are used from here in
// place: pages come from the page cache and can be dropped again. A file that another process shortens while
// it is mapped would fault; that is the one failure this class cannot turn into an Error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace ink {

// What errno says of a file: kNotFound or kIo. action: what could not be done, such as "cannot read".
Error io_error(const std::filesystem::path& path, const char* action);

class MappedFile {
 public:
  // Errors: kNotFound, kIo, or kInvalid when the path is a directory.
  static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_bytes_}; }

  // Tells the system that the pages are not needed for now (weights were repacked); they can be read again.
  void drop_pages() const;

 private:
  MappedFile(const std::byte* data, size_t size_bytes) : data_(data), size_bytes_(size_bytes) {}
  const std::byte* data_;
  size_t size_bytes_;
};

// The whole of a small text file. max_bytes caps what is read; a longer file is kTooLarge.
Result<std::string> read_text_file(const std::filesystem::path& path, uint64_t max_bytes);

// Writes a file so that a reader sees the old content or all of the new: a temporary file in the same folder,
// flushed, then renamed. mode: who may use it, less the umask. On any error nothing is left behind.
Status write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> content,
                             unsigned mode = 0644);

}  // namespace ink
