// See services/connections/private_file.h. Modes are asked of the open file and not of its name, which could
// mean another file a moment later.
#include "services/connections/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include "base/mapped_file.h"
#include "base/utf8.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

constexpr off_t kMostBytes = 1 << 20;

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Error failure(const fs::path& path, const char* action) {
  const ErrorKind kind = errno == ENOENT ? ErrorKind::kNotFound : ErrorKind::kIo;
  return {kind, path.string(), "", std::string(action) + ": " + std::strerror(errno), ""};
}

}  // namespace

Result<FileText> read_small_file(const fs::path& path) {
  // O_NONBLOCK: a pipe in its place must not keep us waiting.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat about {};
  if (file.fd < 0 || ::fstat(file.fd, &about) != 0) return failure(path, "cannot read");
  if (!S_ISREG(about.st_mode))
    return Error{ErrorKind::kInvalid, path.string(), "a file", "something else", ""};
  if (about.st_size > kMostBytes)
    return Error{ErrorKind::kTooLarge, path.string(), "at most 1 MiB", std::to_string(about.st_size), ""};
  FileText result;
  result.is_private = (about.st_mode & 077) == 0;
  char piece[4096];
  while (static_cast<off_t>(result.text.size()) <= kMostBytes) {
    const ssize_t count = ::read(file.fd, piece, sizeof(piece));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(path, "cannot read");
    if (count == 0) break;
    result.text.append(piece, static_cast<size_t>(count));
  }
  return result;
}

Error not_private(const fs::path& path) {
  return {ErrorKind::kInvalid, path.string(), "a file that only its owner can read", "one that others can",
          "chmod 600 " + path.string() + ", and better make a new key: somebody may know this one"};
}

Result<std::string> read_secret(const fs::path& path) {
  const auto file = read_small_file(path);
  if (!file.ok()) return file.error();
  if (!file->is_private) return not_private(path);
  const std::string_view line = std::string_view(file->text).substr(0, file->text.find('\n'));
  std::string secret(trimmed(line));
  if (secret.empty()) return Error{ErrorKind::kInvalid, path.string(), "a key on the first line", "none", ""};
  return secret;
}

Status write_private_file(const fs::path& path, const std::string& text) {
  std::error_code error;
  if (fs::create_directories(path.parent_path(), error))
    fs::permissions(path.parent_path(), fs::perms::owner_all, error);
  if (error) return Error{ErrorKind::kIo, path.parent_path().string(), "", error.message(), ""};
  if (Status written = write_file_atomically(path, std::as_bytes(std::span(text)), 0600); !written.ok())
    return written;
  // The new name, too, has to be on the disk.
  const Descriptor folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd >= 0) ::fsync(folder.fd);
  return Done{};
}

}  // namespace ink
