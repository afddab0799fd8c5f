// Who may come in. Any web page that a person opens can send requests to this machine's own addresses, and
// with a name that it lets point at 127.0.0.1 it can read the answers (DNS rebinding): CVE-2024-28224 was
// that. So the Host must be a name that is ours, and an Origin, which only browsers send, must be our own
// page's or an allowed one, on loopback too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/exchange.h"
#include "server/options.h"
#include "server/request_reader.h"

namespace ink::server {

class Access {
 public:
  // `port` is the one that was bound; 0 for a Unix socket, where names have no port.
  Access(const ServerOptions& options, uint16_t port);

  // Host and Origin. Nothing: they are right.
  std::optional<Refusal> check_place(const Request& request) const;

  // True when no key is needed. A missing key takes the same time as a wrong one, and where a key begins to
  // differ does not show in it either.
  bool has_key(const Request& request) const;

  bool allows_origin(std::string_view origin, std::string_view host) const;

 private:
  bool is_own_host(std::string_view host) const;
  bool allows_host(std::string_view host) const;

  uint16_t port_;
  bool any_address_;  // bound to all of them: whatever address a client wrote is ours
  std::vector<std::string> own_names_;
  std::vector<std::string> allowed_hosts_;
  std::vector<std::string> allowed_origins_;
  std::vector<std::string> keys_;
};

// "name", "name:port", "[address]:port" in two; an address of IPv6 keeps its brackets. The port is empty when
// there is none.
struct HostAndPort {
  std::string_view name, port;
};
HostAndPort split_host(std::string_view host);

// Whether two secrets are equal, in a time that depends on their lengths alone.
bool equal_in_constant_time(std::string_view given, std::string_view secret);

// An address that other machines cannot reach: 127.0.0.0/8, ::1, localhost, a Unix socket.
bool is_loopback(std::string_view host);

}  // namespace ink::server
