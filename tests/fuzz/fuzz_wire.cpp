// Orders to inkstone-connect from any bytes: refused with a text that can be said as JSON, or with fields
// that put nothing of their own into a request.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "connect/wire.h"

namespace {

using namespace ink;

void require(bool condition) {
  if (!condition) std::abort();
}

bool on_one_line(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void check(const Address& address, const std::map<std::string, std::string>& headers,
           std::chrono::milliseconds timeout) {
  require(!address.host.empty() && on_one_line(address.host));
  require(address.target.starts_with('/') && on_one_line(address.target));
  require(address.target.find(' ') == std::string::npos);
  require(timeout.count() > 0);
  for (const auto& [name, value] : headers) require(on_one_line(name) && on_one_line(value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto order = connect::parse_order(std::string(reinterpret_cast<const char*>(data), size));
  if (!order.ok()) {
    require(order.error().message().size() > 10);
    static_cast<void>(Json(order.error().message()).dump());  // throws on bytes that are no text
    return 0;
  }
  if (const auto* http = std::get_if<connect::HttpRequest>(&order->what))
    check(http->address, http->headers, http->timeout);
  if (const auto* socket = std::get_if<connect::SocketRequest>(&order->what))
    check(socket->address, socket->headers, socket->timeout);
  return 0;
}
