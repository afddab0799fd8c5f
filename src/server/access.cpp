// See server/access.h.
#include "server/access.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/utf8.h"

namespace ink::server {
namespace {

std::string in_brackets(const std::string& host) {
  return host.find(':') != std::string::npos && !host.starts_with('[') ? "[" + host + "]" : host;
}

bool is_address(std::string_view name) {
  in6_addr place{};
  if (name.starts_with('[') && name.ends_with(']'))
    return ::inet_pton(AF_INET6, std::string(name.substr(1, name.size() - 2)).c_str(), &place) == 1;
  return ::inet_pton(AF_INET, std::string(name).c_str(), &place) == 1;
}

std::string header_value(const Request& request, const char* name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string() : found->second;
}

// For people: what was sent, short and harmless.
std::string shown(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, 100)) result += c >= ' ' && c < 127 ? c : '?';
  return "'" + result + "'";
}

}  // namespace

HostAndPort split_host(std::string_view host) {
  const size_t bracket = host.starts_with('[') ? host.find(']') : 0;
  if (bracket == std::string_view::npos) return {host, {}};
  const size_t colon = host.find(':', bracket);
  if (colon == std::string_view::npos) return {host, {}};
  return {host.substr(0, colon), host.substr(colon + 1)};
}

bool equal_in_constant_time(std::string_view given, std::string_view secret) {
  // Longer or shorter, the same number of steps is taken: one for each byte of the secret.
  volatile unsigned char difference = given.size() == secret.size() ? 0 : 1;
  const std::string_view compared = given.empty() ? std::string_view("\0", 1) : given;
  for (size_t i = 0; i < secret.size(); ++i)
    difference = static_cast<unsigned char>(difference | (compared[i % compared.size()] ^ secret[i]));
  return difference == 0;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".sock") || host == "::1" || host == "[::1]" ||
         (host.starts_with("127.") && is_address(host));
}

Access::Access(const ServerOptions& options, uint16_t port)
    : port_(port),
      any_address_(options.host == "0.0.0.0" || options.host == "::"),
      own_names_{"localhost", "127.0.0.1", "[::1]"},
      keys_(options.keys) {
  if (port > 0 && !any_address_) own_names_.push_back(ascii_lower(in_brackets(options.host)));
  for (const std::string& host : options.allowed_hosts) allowed_hosts_.push_back(ascii_lower(host));
  for (const std::string& origin : options.allowed_origins) allowed_origins_.push_back(ascii_lower(origin));
}

bool Access::is_own_host(std::string_view host) const {
  const auto [name, port] = split_host(host);
  const std::string wanted = port_ == 0 ? "" : std::to_string(port_);
  if (port_ > 0 && port != wanted && !(port.empty() && port_ == 80)) return false;
  // An address cannot be pointed elsewhere as a name can.
  if (any_address_ && is_address(name)) return true;
  return std::find(own_names_.begin(), own_names_.end(), name) != own_names_.end();
}

bool Access::allows_host(std::string_view host) const {
  if (is_own_host(host)) return true;
  const std::string_view name = split_host(host).name;
  return std::any_of(allowed_hosts_.begin(), allowed_hosts_.end(),
                     [&](const std::string& allowed) { return allowed == host || allowed == name; });
}

bool Access::allows_origin(std::string_view origin, std::string_view host) const {
  for (const std::string& allowed : allowed_origins_) {
    if (allowed == "*" || allowed == origin) return true;
    if (allowed.ends_with("://*") &&
        origin.starts_with(std::string_view(allowed).substr(0, allowed.size() - 1)))
      return true;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!origin.starts_with(scheme)) continue;
    const std::string_view place = origin.substr(scheme.size());
    return place == host || (scheme == "http://" && is_own_host(place));
  }
  return false;
}

std::optional<Refusal> Access::check_place(const Request& request) const {
  const std::string host = ascii_lower(header_value(request, "host"));
  if (!allows_host(host))
    return Refusal{403,
                   "the host " + shown(host) +
                       " is not an address of this server; if it is meant, start it with " + "--allow-host",
                   "host_not_allowed"};
  const auto origin = request.headers.find("origin");
  if (origin != request.headers.end() && !allows_origin(ascii_lower(origin->second), host))
    return Refusal{403,
                   "pages of " + shown(origin->second) +
                       " may not use this server; if they are meant to, start it " + "with --allow-origin",
                   "origin_not_allowed"};
  return std::nullopt;
}

bool Access::has_key(const Request& request) const {
  if (keys_.empty()) return true;
  const std::string authorization = header_value(request, "authorization");
  const bool is_bearer = ascii_lower(authorization.substr(0, 7)) == "bearer ";
  std::string bearer = is_bearer ? authorization.substr(7) : "";
  bearer.erase(0, bearer.find_first_not_of(' '));
  const std::string plain = header_value(request, "x-api-key");
  bool found = false;
  for (const std::string& key : keys_) {
    const bool by_bearer = equal_in_constant_time(bearer, key),
               by_header = equal_in_constant_time(plain, key);
    found = found | by_bearer | by_header;
  }
  return found;
}

}  // namespace ink::server
