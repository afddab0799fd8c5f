// What the assistant and inkstone-connect say to each other: one JSON object a line, over the two pipes of a
// child.
//
//   in   {"id": 1, "http": {"method": "POST", "url": "http://…", "headers": {"Name": "…"}, "body": "…",
//         "timeout_ms": 10000, "stream": false}}
//   out  {"id": 1, "status": 200, "headers": {…}, "body": "…"}     names in lower case
//        with stream, once the headers are there, {"id": 1, "status": 200, "headers": {…}}, then any number
//        of
//        {"id": 1, "chunk": "…"}, then {"id": 1, "end": true}
//   in   {"id": 2, "websocket": {"url": "ws://…", "headers": {…}, "timeout_ms": 10000}}
//   out  {"id": 2, "open": true}, then {"id": 2, "text": "…"} for each message, then {"id": 2, "end": true}
//   in   {"id": 2, "send": "…"}    a message to that socket
//   in   {"id": 1, "cancel": true} ends either; nothing more is said of that id
//   out  {"id": 1, "error": "…", "kind": "…"} ends either
//
// kinds: wrong (the line makes no sense), not_allowed, name, refused, timed_out, tls, lost (closed half-way),
// too_large, garbage (what came is not HTTP, a WebSocket or UTF-8).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "base/address.h"
#include "base/json.h"
#include "base/result.h"

namespace ink::connect {

inline constexpr int64_t kMaxBodyBytes = int64_t{8}
                                         << 20;  // of one answer or message, and of one line from the parent

struct HttpRequest {
  Address address;
  std::string method;
  std::map<std::string, std::string> headers;
  std::string body;
  std::chrono::milliseconds timeout{10000};  // until the whole answer; with stream: until its headers
  bool stream = false;
};

struct SocketRequest {
  Address address;
  std::map<std::string, std::string> headers;
  std::chrono::milliseconds timeout{10000};  // until it is open
};

struct Send {
  std::string text;
};

struct Cancel {};

struct Order {
  int64_t id = 0;
  std::variant<HttpRequest, SocketRequest, Send, Cancel> what;
};

// Errors: kInvalid, saying which field is missing or wrong. A header with a line break in it is refused.
Result<Order> parse_order(const std::string& line);

}  // namespace ink::connect
