// See base/address.h. Refused is whatever could show a person one host and mean another.
#include "base/address.h"

#include <algorithm>
#include <charconv>

namespace ink {
namespace {

Error wrong(const std::string& where, const char* wanted, const std::string& got) {
  return Error{ErrorKind::kInvalid, where, wanted, got, ""};
}

bool printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

// "host", "host:port" or "[address]:port".
Status parse_authority(const std::string& authority, Address& address) {
  const bool bracketed = authority.starts_with('[');
  const size_t end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && end == std::string::npos) return wrong("url", "a ] after the address", authority);
  address.host = bracketed ? authority.substr(1, end - 1) : authority.substr(0, end);
  const size_t rest = bracketed ? end + 1 : end;
  if (address.host.empty()) return wrong("url", "a host", authority);
  if (rest == std::string::npos || rest == authority.size()) return Done{};
  const char* first = authority.data() + rest + 1;
  const char* last = authority.data() + authority.size();
  const auto read = std::from_chars(first, last, address.port);
  const bool right =
      authority[rest] == ':' && read.ec == std::errc() && read.ptr == last && address.port != 0;
  if (!right) return wrong("url", "a port from 1 to 65535", authority);
  return Done{};
}

}  // namespace

std::string Address::host_and_port() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> parse_address(const std::string& url) {
  const size_t scheme_end = url.find("://");
  const std::string scheme = url.substr(0, scheme_end == std::string::npos ? 0 : scheme_end);
  Address address;
  address.secure = scheme == "https" || scheme == "wss";
  if (!address.secure && scheme != "http" && scheme != "ws")
    return wrong("url", "http://, https://, ws:// or wss://", url);
  const bool spaced = url.find(' ') != std::string::npos || !printable(url);
  if (spaced) return wrong("url", "no spaces and no control characters", "some");
  address.port = address.secure ? 443 : 80;
  const size_t begin = scheme_end + 3;
  const size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const std::string authority = url.substr(begin, end - begin);
  if (authority.find('@') != std::string::npos)
    return wrong("url", "no name and password before the host", "one");
  const std::string path = url.substr(end, url.find('#', end) - end);
  address.target = path.starts_with('/') ? path : "/" + path;
  if (const Status read = parse_authority(authority, address); !read.ok()) return read.error();
  return address;
}

}  // namespace ink
