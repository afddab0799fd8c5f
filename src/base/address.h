// The address of a server as a person writes it. Two programs read it: inkstone-connect, which goes there,
// and inkstone, which may not but has to tell inkstone-connect where it may go.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace ink {

struct Address {
  bool secure = false;  // https, wss
  std::string host;     // without the brackets of an IPv6 address
  uint16_t port = 0;
  std::string target;  // path and query

  std::string host_and_port() const;  // "localhost:8123", "[::1]:8123"
};

// http, https, ws or wss. Errors: kInvalid for another scheme, a name and password in it, a port out of
// range.
Result<Address> parse_address(const std::string& url);

}  // namespace ink
