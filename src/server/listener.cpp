// See server/listener.h.
#include "server/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "server/access.h"

namespace ink::server {
namespace {

Error refused(const std::string& where, const std::string& what, const std::string& advice = "") {
  return {ErrorKind::kIo, where, "", what, advice};
}

std::string system_text() { return std::strerror(errno); }

// Held as long as a server listens at a path: a socket without a holder was left behind. (Asking the socket
// itself would need a connection, and this program makes none.) -1: somebody else has it.
int take_lock(const std::string& path) {
  const int lock = ::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0 || ::flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  const int why = errno;
  ::close(lock);
  errno = why;
  return -1;
}

// A socket that was left behind goes away; anything else at its path stays. The caller holds its lock.
Status clear_path(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return Done{};
  if (!S_ISSOCK(found.st_mode)) return refused(path, "there is a file of this name, and it is not a socket");
  if (::unlink(path.c_str()) != 0)
    return refused(path, "a socket that was left behind cannot be removed: " + system_text());
  return Done{};
}

// An address as the system has it; the size is 0 when it is none.
struct Place {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
Place place_of(std::string host, uint16_t port) {
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  Place place;
  auto* four = reinterpret_cast<sockaddr_in*>(&place.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&place.storage);
  if (::inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    place.size = sizeof *four;
  } else if (::inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    place.size = sizeof *six;
  }
  return place;
}

uint16_t bound_port(int descriptor) {
  Place place;
  place.size = sizeof place.storage;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&place.storage), &place.size);
  return ntohs(place.storage.ss_family == AF_INET
                   ? reinterpret_cast<const sockaddr_in*>(&place.storage)->sin_port
                   : reinterpret_cast<const sockaddr_in6*>(&place.storage)->sin6_port);
}

}  // namespace

Listener::Listener(Listener&& other) noexcept
    : descriptor_(other.descriptor_),
      family_(other.family_),
      port_(other.port_),
      host_(std::move(other.host_)),
      path_(std::move(other.path_)),
      lock_(other.lock_),
      device_(other.device_),
      inode_(other.inode_) {
  other.descriptor_ = -1;
  other.lock_ = -1;
  other.path_.clear();
}

Listener::~Listener() {
  if (descriptor_ >= 0) ::close(descriptor_);
  struct stat found {};
  if (!path_.empty() && ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ &&
      found.st_ino == inode_)
    ::unlink(path_.c_str());
  if (lock_ >= 0) ::close(lock_);  // the file stays: another server may be waiting to lock it
}

int Listener::release_descriptor() {
  const int descriptor = descriptor_;
  descriptor_ = -1;
  return descriptor;
}

std::string Listener::address() const {
  if (is_unix()) return "unix:" + path_;
  const bool bare_six = host_.find(':') != std::string::npos && !host_.starts_with('[');
  return "http://" + (bare_six ? "[" + host_ + "]" : host_) + ":" + std::to_string(port_);
}

Result<Listener> Listener::open(const ServerOptions& options) {
  if (options.keys.empty() && !options.without_key && !is_loopback(options.host))
    return Error{ErrorKind::kInvalid, "--host", "",
                 options.host + " can be reached from other machines, and no key is set",
                 "give one with --api-key-file, or --no-key if whoever reaches it may use it"};
  return options.host.ends_with(".sock") ? open_unix(options.host) : open_tcp(options);
}

Result<Listener> Listener::open_unix(const std::string& path) {
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  if (path.size() >= sizeof place.sun_path)
    return Error{ErrorKind::kInvalid, "--host",
                 "a path of at most " + std::to_string(sizeof place.sun_path - 1) + " bytes",
                 std::to_string(path.size()), ""};
  path.copy(place.sun_path, path.size());
  Listener listener;
  listener.family_ = AF_UNIX;
  listener.lock_ = take_lock(path);
  if (listener.lock_ < 0 && errno == EWOULDBLOCK)
    return refused(path, "another server listens there", "stop it, or give another path with --host");
  if (listener.lock_ < 0) return refused(path, "no socket can be made there: " + system_text());
  const Status cleared = clear_path(path);
  if (!cleared.ok()) return cleared.error();
  listener.descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener.descriptor_ < 0) return refused(path, system_text());
  // Made for its owner alone from the first moment: a mode that is changed later leaves a gap.
  const mode_t before = ::umask(0177);
  const bool bound =
      ::bind(listener.descriptor_, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0;
  const int why = errno;
  ::umask(before);
  errno = why;
  if (!bound) return refused(path, "no socket can be made there: " + system_text());
  struct stat made {};
  if (::lstat(path.c_str(), &made) == 0) {
    listener.path_ = path;
    listener.device_ = made.st_dev;
    listener.inode_ = made.st_ino;
  }
  if (::listen(listener.descriptor_, SOMAXCONN) != 0) return refused(path, system_text());
  return listener;
}

Result<Listener> Listener::open_tcp(const ServerOptions& options) {
  const Place place = place_of(options.host, options.port);
  if (place.size == 0)
    return Error{ErrorKind::kInvalid, "--host",
                 "an address such as 127.0.0.1 or ::1, localhost, or a path that ends in .sock",
                 "'" + options.host + "'", ""};
  const std::string where = options.host + ":" + std::to_string(options.port);
  Listener listener;
  listener.host_ = options.host;
  listener.family_ = place.storage.ss_family;
  listener.descriptor_ = ::socket(listener.family_, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener.descriptor_ < 0) return refused(where, system_text());
  const int yes = 1;
  ::setsockopt(listener.descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(listener.descriptor_, reinterpret_cast<const sockaddr*>(&place.storage), place.size) != 0 ||
      ::listen(listener.descriptor_, SOMAXCONN) != 0) {
    if (errno == EADDRINUSE)
      return refused(where, "another program listens on this port", "--port 0 picks a free one");
    if (errno == EACCES) return refused(where, system_text(), "ports below 1024 need more rights");
    return refused(where, system_text());
  }
  listener.port_ = bound_port(listener.descriptor_);
  return listener;
}

}  // namespace ink::server
