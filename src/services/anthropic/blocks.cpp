// See services/anthropic/blocks.h.
#include "services/anthropic/blocks.h"

#include "base/json_pointer.h"
#include "base/utf8.h"
#include "services/wire/fields.h"

namespace ink::anthropic {
namespace {

constexpr std::string_view kBillingLine = "x-anthropic-billing-header:";

std::string without_billing_line(const std::string& text) {
  std::string kept;
  bool dropped = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string_view line = std::string_view(text).substr(at, end - at);
    const bool drop = ascii_lower(std::string(line.substr(0, kBillingLine.size()))) == kBillingLine;
    if (!drop) kept += line;
    dropped = dropped || drop;
    at = end;
  }
  return dropped ? kept : text;
}

void add_line(std::string& text, const std::string& more) { text += (text.empty() ? "" : "\n") + more; }

Error refused_block(const std::string& where, const std::string& type) {
  if (type.empty()) return wire::wrong(where + ".type", "the kind of a block", Json());
  return wire::not_supported(
      where, "blocks of type '" + std::string(first_characters(type, 40)) + "' are not supported yet");
}

// The text of blocks that have to be text.
Result<std::string> plain_text(const Json& content, const std::string& where) {
  if (content.is_null()) return std::string();
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return wire::wrong(where, "a text or blocks", content);
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    const std::string here = where + "[" + std::to_string(i) + "]";
    if (!content[i].is_object()) return wire::wrong(here, "an object", content[i]);
    const std::string type = text_member(content[i], "type");
    if (type != "text") return refused_block(here, type);
    if (!content[i].contains("text") || !content[i]["text"].is_string())
      return wire::wrong(here + ".text", "a text", content[i].value("text", Json()));
    add_line(text, content[i]["text"].get<std::string>());
  }
  return text;
}

class MessageReader {
 public:
  explicit MessageReader(std::vector<ChatMessage>& messages) : messages_(messages) {}

  Status read(const Json& wire_message, const std::string& where) {
    if (!wire_message.is_object()) return wire::wrong(where, "an object", wire_message);
    const std::string role = text_member(wire_message, "role");
    message_ = ChatMessage();
    text_.clear();
    if (role == "assistant") {
      message_.role = Role::kAssistant;
    } else if (role == "system") {
      message_.role = Role::kSystem;
    } else if (role != "user") {
      return wire::wrong(where + ".role", "user or assistant", wire_message.value("role", Json()));
    }
    const Json& content = wire_message.contains("content") ? wire_message["content"] : kNothing;
    if (content.is_string()) {
      text_ = content.get<std::string>();
      return finish(true);
    }
    if (!content.is_array()) return wire::wrong(where + ".content", "a text or blocks", content);
    for (size_t i = 0; i < content.size(); ++i) {
      const Status status = block(content[i], where + ".content[" + std::to_string(i) + "]");
      if (!status.ok()) return status;
    }
    return finish(content.empty());
  }

 private:
  Status block(const Json& block, const std::string& where) {
    if (!block.is_object()) return wire::wrong(where, "an object", block);
    const std::string type = text_member(block, "type");
    const bool assistant = message_.role == Role::kAssistant;
    if (type == "text") {
      if (!block.contains("text") || !block["text"].is_string())
        return wire::wrong(where + ".text", "a text", block.value("text", Json()));
      add_line(text_, block["text"].get<std::string>());
    } else if (type == "thinking" && assistant) {
      message_.reasoning = message_.reasoning.value_or("") + text_member(block, "thinking");
    } else if (type == "tool_use" && assistant) {
      const std::string name = text_member(block, "name");
      if (name.empty())
        return wire::wrong(where + ".name", "the name of a tool", block.value("name", Json()));
      message_.tool_calls.push_back({name, block.value("input", Json::object()), true});
    } else if (type == "tool_result" && message_.role == Role::kUser) {
      return result(block, where);
    } else if (type != "redacted_thinking") {  // of which nothing can be read
      return refused_block(where, type);
    }
    return Done{};
  }

  // Results come before what the user says beside them.
  Status result(const Json& block, const std::string& where) {
    auto text = plain_text(block.value("content", Json()), where + ".content");
    if (!text.ok()) return text.error();
    ChatMessage message;
    message.role = Role::kTool;
    // The chat formats have no place for the mark of a failure.
    message.content = block.value("is_error", Json()) == true ? "Error: " + *text : *text;
    messages_.push_back(std::move(message));
    has_results_ = true;
    return Done{};
  }

  Status finish(bool empty_counts) {
    const bool says_nothing = text_.empty() && message_.role == Role::kUser && has_results_;
    has_results_ = false;
    if (says_nothing && !empty_counts) return Done{};
    message_.content = std::move(text_);
    messages_.push_back(std::move(message_));
    return Done{};
  }

  static inline const Json kNothing;
  std::vector<ChatMessage>& messages_;
  ChatMessage message_;
  std::string text_;
  bool has_results_ = false;
};

}  // namespace

Result<std::vector<ChatMessage>> read_wire_messages(const Json& messages) {
  if (!messages.is_array()) return wire::wrong("messages", "an array of messages", messages);
  if (messages.empty()) return Error{ErrorKind::kInvalid, "messages", "at least one message", "none", ""};
  std::vector<ChatMessage> read;
  MessageReader reader(read);
  for (size_t i = 0; i < messages.size(); ++i) {
    const Status status = reader.read(messages[i], "messages[" + std::to_string(i) + "]");
    if (!status.ok()) return status.error();
  }
  return read;
}

Result<std::string> read_system(const Json& system) {
  if (!system.is_array()) {
    auto text = plain_text(system, "system");
    return text.ok() ? Result<std::string>(without_billing_line(*text)) : text;
  }
  std::string joined;
  for (size_t i = 0; i < system.size(); ++i) {
    auto text = plain_text(Json::array({system[i]}), "system");
    if (!text.ok()) return text.error();
    const std::string kept = without_billing_line(*text);
    if (!kept.empty()) add_line(joined, kept);
  }
  return joined;
}

}  // namespace ink::anthropic
