// The socket that a server listens on: an address of this machine, or a Unix socket in the file system. Names
// but "localhost" are not looked up: that would ask a name server elsewhere.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "server/options.h"

namespace ink::server {

class Listener {
 public:
  // Errors: kInvalid (not an address of this machine, reachable by others without a key, a path that is too
  // long), kIo (the port or the socket is in use, or the system does not let us).
  static Result<Listener> open(const ServerOptions& options);

  ~Listener();  // a Unix socket is removed, if it still is ours
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;

  int release_descriptor();  // the caller closes it
  bool is_unix() const { return !path_.empty(); }
  int family() const { return family_; }
  uint16_t port() const { return port_; }  // 0: a Unix socket
  std::string address() const;             // "http://127.0.0.1:11435", "unix:/run/inkstone.sock"

 private:
  Listener() = default;
  static Result<Listener> open_unix(const std::string& path);
  static Result<Listener> open_tcp(const ServerOptions& options);

  int descriptor_ = -1;
  int family_ = 0;
  uint16_t port_ = 0;
  std::string host_;
  std::string path_;
  uint64_t device_ = 0, inode_ = 0;  // of the socket in the file system
};

}  // namespace ink::server
