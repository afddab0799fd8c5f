// Reads the lines of the parent. They come from our own program, but parts of them (addresses, headers) from
// files of a person, so each field is checked: a line break in a header would be a second header.
#include "connect/wire.h"

#include <algorithm>

namespace ink::connect {
namespace {

Error wrong(const std::string& where, const char* wanted, const std::string& got) {
  return Error{ErrorKind::kInvalid, where, wanted, got, ""};
}

bool printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

Result<std::map<std::string, std::string>> parse_headers(const Json& order) {
  std::map<std::string, std::string> headers;
  const auto found = order.find("headers");
  if (found == order.end()) return headers;
  if (!found->is_object()) return wrong("headers", "an object", found->type_name());
  for (const auto& [name, value] : found->items()) {
    const bool plain = value.is_string() && !name.empty() && printable(name) &&
                       printable(value.get<std::string>()) && name.find_first_of(" :") == std::string::npos;
    if (!plain) return wrong("headers", "names and values on one line", "something else under " + name);
    headers[name] = value.get<std::string>();
  }
  return headers;
}

Result<std::string> text_field(const Json& order, const char* name, const char* otherwise = nullptr) {
  const auto found = order.find(name);
  if (found == order.end() && otherwise) return std::string(otherwise);
  if (found == order.end() || !found->is_string()) return wrong(name, "a string", "none");
  return found->get<std::string>();
}

Result<std::chrono::milliseconds> parse_timeout(const Json& order) {
  const auto found = order.find("timeout_ms");
  if (found == order.end()) return std::chrono::milliseconds(10000);
  const int64_t value = found->is_number_integer() ? found->get<int64_t>() : -1;
  if (value < 1 || value > 86'400'000) return wrong("timeout_ms", "1 to 86400000", found->dump());
  return std::chrono::milliseconds(value);
}

Result<HttpRequest> parse_http(const Json& order) {
  HttpRequest request;
  const auto url = text_field(order, "url");
  if (!url.ok()) return url.error();
  auto address = parse_address(*url);
  const auto method = text_field(order, "method", "GET");
  auto headers = parse_headers(order);
  auto body = text_field(order, "body", "");
  const auto timeout = parse_timeout(order);
  if (!address.ok()) return address.error();
  if (!method.ok()) return method.error();
  if (!headers.ok()) return headers.error();
  if (!body.ok()) return body.error();
  if (!timeout.ok()) return timeout.error();
  const bool known = *method == "GET" || *method == "POST" || *method == "PUT" || *method == "DELETE";
  if (!known) return wrong("method", "GET, POST, PUT or DELETE", *method);
  const auto stream = order.find("stream");
  return HttpRequest{std::move(*address), *method,  std::move(*headers),
                     std::move(*body),    *timeout, stream != order.end() && *stream == true};
}

Result<SocketRequest> parse_socket(const Json& order) {
  const auto url = text_field(order, "url");
  if (!url.ok()) return url.error();
  auto address = parse_address(*url);
  auto headers = parse_headers(order);
  const auto timeout = parse_timeout(order);
  if (!address.ok()) return address.error();
  if (!headers.ok()) return headers.error();
  if (!timeout.ok()) return timeout.error();
  return SocketRequest{std::move(*address), std::move(*headers), *timeout};
}

}  // namespace

Result<Order> parse_order(const std::string& line) {
  const auto parsed = parse_json(line, "order");
  if (!parsed.ok()) return parsed.error();
  const Json& json = *parsed;
  const auto id = json.is_object() ? json.find("id") : json.end();
  if (!json.is_object() || id == json.end() || !id->is_number_integer())
    return wrong("order", "an object with an integer id", "none");
  Order order{id->get<int64_t>(), Cancel{}};
  if (const auto http = json.find("http"); http != json.end() && http->is_object()) {
    auto request = parse_http(*http);
    if (!request.ok()) return request.error();
    order.what = std::move(*request);
  } else if (const auto socket = json.find("websocket"); socket != json.end() && socket->is_object()) {
    auto request = parse_socket(*socket);
    if (!request.ok()) return request.error();
    order.what = std::move(*request);
  } else if (const auto send = json.find("send"); send != json.end() && send->is_string()) {
    order.what = Send{send->get<std::string>()};
  } else if (!json.contains("cancel")) {
    return wrong("order", "http, websocket, send or cancel", "none of them");
  }
  return order;
}

}  // namespace ink::connect
