// JSON-RPC 2.0 as MCP uses it (modelcontextprotocol.io, "Base protocol"): what is said is made here, what is
// heard is sorted here. Pure functions. Nothing of the other side is trusted: an id of a strange type, an
// answer with both a result and an error, a number where a method should be are all refused, and a text of
// many messages (a batch, allowed by version 2025-03-26) is capped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ink::mcp {

inline constexpr int kMethodNotFound = -32601;

enum class MessageKind { kRequest, kNotification, kResult, kError };

struct Message {
  MessageKind kind = MessageKind::kNotification;
  Json id;             // a number or a text; null of a notification, and of an error about no request
  std::string method;  // of requests and notifications
  Json body;           // their params, the result, or the error: always an object, except for a result

  // Whether it is the answer to our request of this number.
  bool answers(int64_t number) const {
    return (kind == MessageKind::kResult || kind == MessageKind::kError) && id.is_number_integer() &&
           id == number;
  }
};

// One message or a batch of them. Errors: kInvalid, kTooLarge.
Result<std::vector<Message>> parse_messages(std::string_view text, const std::string& where);

Json request(int64_t id, const std::string& method, Json params);
Json notification(const std::string& method, Json params);
Json empty_result(const Json& id);
Json method_not_found(const Json& id, const std::string& method);

}  // namespace ink::mcp
