// See base/mapped_file.h.
#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace ink {
namespace {

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

Error io_error(const std::filesystem::path& path, const char* action) {
  const int code = errno;
  const ErrorKind kind = code == ENOENT || code == ENOTDIR ? ErrorKind::kNotFound : ErrorKind::kIo;
  return Error{kind, path.string(), "", std::string(action) + ": " + std::strerror(code), ""};
}

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return io_error(path, "cannot open");
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return io_error(path, "cannot stat");
  if (!S_ISREG(info.st_mode)) {
    return Error{ErrorKind::kInvalid, path.string(), "a file",
                 S_ISDIR(info.st_mode) ? "a directory" : "a device", ""};
  }
  const auto size_bytes = static_cast<size_t>(info.st_size);
  if (size_bytes == 0) return std::shared_ptr<const MappedFile>(new MappedFile(nullptr, 0));
  void* data = ::mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (data == MAP_FAILED) return io_error(path, "cannot map");
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const std::byte*>(data), size_bytes));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_bytes_);
}

void MappedFile::drop_pages() const {
  if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_bytes_, MADV_DONTNEED);
}

Result<std::string> read_text_file(const std::filesystem::path& path, uint64_t max_bytes) {
  auto file = MappedFile::open(path);
  if (!file.ok()) return file.error();
  const auto bytes = (*file)->bytes();
  if (bytes.size() > max_bytes) {
    return Error{ErrorKind::kTooLarge, path.string(), "at most " + std::to_string(max_bytes) + " bytes",
                 std::to_string(bytes.size()) + " bytes", ""};
  }
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Status write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> content,
                             unsigned mode) {
  const std::filesystem::path temporary = path.string() + ".partial-" + std::to_string(::getpid());
  Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
  if (file.fd < 0) return io_error(path, "cannot create");
  const auto fail = [&](const char* action) {
    const Error error = io_error(path, action);
    ::unlink(temporary.c_str());
    return error;
  };
  for (size_t written = 0; written < content.size();) {
    const ssize_t count = ::write(file.fd, content.data() + written, content.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail("cannot write");
    written += static_cast<size_t>(count);
  }
  if (::fsync(file.fd) != 0) return fail("cannot flush");
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail("cannot rename into place");
  return Done{};
}

}  // namespace ink
