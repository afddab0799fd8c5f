// See services/mcp/json_rpc.h.
#include "services/mcp/json_rpc.h"

namespace ink::mcp {
namespace {

constexpr size_t kMostMessages = 100;  // of one batch

Error wrong(const std::string& where, const char* wanted) {
  return {ErrorKind::kInvalid, where, wanted, "something else", ""};
}

Result<Message> parse_message(const Json& json, const std::string& where) {
  if (!json.is_object() || json.value("jsonrpc", Json()) != "2.0")
    return wrong(where, "an object of JSON-RPC 2.0");
  Message message;
  const bool has_id = json.contains("id") && !json["id"].is_null();
  if (has_id) message.id = json["id"];
  if (has_id && !message.id.is_number_integer() && !message.id.is_string())
    return wrong(where, "an id that is a number or a text");
  const bool has_result = json.contains("result");
  const bool has_error = json.contains("error");
  if (json.contains("method")) {
    if (!json["method"].is_string() || has_result || has_error) return wrong(where, "a request");
    message.kind = has_id ? MessageKind::kRequest : MessageKind::kNotification;
    message.method = json["method"];
    message.body = json.value("params", Json::object());
    if (!message.body.is_object()) return wrong(where, "params that are an object");
    return message;
  }
  if (has_result == has_error) return wrong(where, "a method, a result or an error");
  message.kind = has_result ? MessageKind::kResult : MessageKind::kError;
  message.body = has_result ? json["result"] : json["error"];
  if (has_result && !has_id) return wrong(where, "a result with an id");
  if (has_error && !message.body.is_object()) return wrong(where, "an error that is an object");
  return message;
}

}  // namespace

Result<std::vector<Message>> parse_messages(std::string_view text, const std::string& where) {
  auto json = parse_json(text, where);
  if (!json.ok()) return json.error();
  if (!json->is_array()) json = Json::array({std::move(*json)});
  if (json->empty()) return wrong(where, "a message");
  if (json->size() > kMostMessages)
    return Error{ErrorKind::kTooLarge, where, "at most " + std::to_string(kMostMessages) + " messages",
                 std::to_string(json->size()), ""};
  std::vector<Message> messages;
  for (const Json& one : *json) {
    auto message = parse_message(one, where);
    if (!message.ok()) return message.error();
    messages.push_back(std::move(*message));
  }
  return messages;
}

Json request(int64_t id, const std::string& method, Json params) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
}

Json notification(const std::string& method, Json params) {
  return {{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
}

Json empty_result(const Json& id) { return {{"jsonrpc", "2.0"}, {"id", id}, {"result", Json::object()}}; }

Json method_not_found(const Json& id, const std::string& method) {
  const Json error = {{"code", kMethodNotFound}, {"message", "not offered by this client: " + method}};
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", error}};
}

}  // namespace ink::mcp
