// See tensor/checkpoint_output.h.
#include "tensor/checkpoint_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/checked.h"
#include "base/mapped_file.h"
#include "tensor/checkpoint_checks.h"

namespace ink {

Result<CheckpointOutput> CheckpointOutput::create(const std::filesystem::path& path) {
  std::filesystem::path temporary = path.string() + ".partial-" + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return io_error(path, "cannot create");
  return CheckpointOutput(path, std::move(temporary), fd);
}

CheckpointOutput::CheckpointOutput(CheckpointOutput&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::exchange(other.fd_, -1)),
      written_(other.written_) {}

CheckpointOutput::~CheckpointOutput() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

Status CheckpointOutput::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error(path_, "cannot write");
    written_ += static_cast<uint64_t>(count);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return Done{};
}

Status CheckpointOutput::write_zeros(uint64_t count) {
  const std::vector<std::byte> zeros(count);
  return write(zeros);
}

Status CheckpointOutput::commit() {
  if (::fsync(fd_) != 0) return io_error(path_, "cannot flush");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return io_error(path_, "cannot rename into place");
  ::close(std::exchange(fd_, -1));
  return Done{};
}

Result<uint64_t> planned_size_bytes(const PlannedTensor& tensor) {
  const auto refuse = [&](std::string wanted, std::string got) {
    return Error{ErrorKind::kInvalid, "tensor " + printable(tensor.name), std::move(wanted), std::move(got),
                 ""};
  };
  if (tensor.shape.empty()) return refuse("a shape", "none");
  uint64_t elements = 1;
  for (const int64_t size : tensor.shape) {
    const auto product = size > 0 ? checked_mul(elements, static_cast<uint64_t>(size)) : std::nullopt;
    if (!product) return refuse("dimensions of 1 or more", std::to_string(size));
    elements = *product;
  }
  const DtypeInfo& info = dtype_info(tensor.dtype);
  const auto size = size_bytes_of(tensor.dtype, elements);
  if (!size || tensor.shape.back() % info.block_elements != 0) {
    return refuse("rows of whole blocks of " + std::to_string(info.block_elements),
                  std::to_string(tensor.shape.back()) + " elements of " + std::string(info.name));
  }
  return *size;
}

Status write_tensor(CheckpointOutput& output, const TensorSource& source, size_t index, uint64_t size_bytes) {
  const uint64_t start = output.written();
  const auto written = source(index, [&](std::span<const std::byte> piece) { return output.write(piece); });
  if (!written.ok()) return written;
  INK_CHECK(output.written() - start == size_bytes, "a tensor's source gave another number of bytes");
  return Done{};
}

}  // namespace ink
