// See services/connections/private_file.h. Modes are asked of the open file and not of its name, which could
// mean another file a moment later.
#include "services/connections/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

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

bool write_all(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = ::write(fd, text.data() + at, text.size() - at);
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) at += static_cast<size_t>(written);
  }
  return ::fsync(fd) == 0;
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
  const fs::path temporary = path.string() + ".partial-" + std::to_string(::getpid());
  const Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (file.fd < 0) return failure(path, "cannot create");
  if (!write_all(file.fd, text) || ::rename(temporary.c_str(), path.c_str()) != 0) {
    Error failed = failure(path, "cannot write");
    ::unlink(temporary.c_str());
    return failed;
  }
  // The new name, too, has to be on the disk.
  const Descriptor folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd >= 0) ::fsync(folder.fd);
  return Done{};
}

}  // namespace ink
