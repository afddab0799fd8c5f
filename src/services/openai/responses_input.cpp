// The items of a response's input as messages (services/openai/responses.h).
#include "base/json_pointer.h"
#include "base/utf8.h"
#include "services/openai/fields.h"
#include "services/openai/responses.h"

namespace ink::openai {
namespace {

class InputReader {
 public:
  explicit InputReader(std::vector<ChatMessage>& messages) : messages_(messages) {}

  Status read(const Json& item, const std::string& where) {
    if (!item.is_object()) return wire::wrong(where, "an object", item);
    const std::string type = text_member(item, "type");
    if (type == "message" || (type.empty() && item.contains("role"))) return message(item, where);
    if (type == "function_call") return call(item, where);
    if (type == "function_call_output") return output(item, where);
    if (type == "reasoning") return reasoning(item, where);
    if (type.empty()) return wire::wrong(where + ".type", "the kind of an item", item.value("type", Json()));
    return wire::not_supported(
        where, "items of type '" + std::string(first_characters(type, 40)) + "' are not supported");
  }

 private:
  // The assistant's turn that is being put together.
  ChatMessage& turn() {
    if (messages_.empty() || messages_.back().role != Role::kAssistant) {
      messages_.emplace_back();
      messages_.back().role = Role::kAssistant;
      messages_.back().content = std::string();
    }
    return messages_.back();
  }

  Status message(const Json& item, const std::string& where) {
    auto text = content_text(item.value("content", Json()), where + ".content");
    if (!text.ok()) return text.error();
    const std::string role = text_member(item, "role");
    if (role == "assistant") {
      auto& content = std::get<std::string>(turn().content);
      content += (content.empty() ? "" : "\n") + *text;
      return Done{};
    }
    ChatMessage message;
    if (role == "system" || role == "developer") {
      message.role = Role::kSystem;
    } else if (role != "user") {
      return wire::wrong(where + ".role", "system, developer, user or assistant", item.value("role", Json()));
    }
    message.content = std::move(*text);
    messages_.push_back(std::move(message));
    return Done{};
  }

  Status call(const Json& item, const std::string& where) {
    const std::string name = text_member(item, "name");
    if (name.empty())
      return wire::wrong(where + ".name", "the name of a function", item.value("name", Json()));
    turn().tool_calls.push_back({name, item.value("arguments", Json("{}")), true});
    return Done{};
  }

  Status output(const Json& item, const std::string& where) {
    auto text = content_text(item.value("output", Json()), where + ".output");
    if (!text.ok()) return text.error();
    ChatMessage message;
    message.role = Role::kTool;
    message.content = std::move(*text);
    messages_.push_back(std::move(message));
    return Done{};
  }

  // The text of its content, or of its summary where a server gave only that.
  Status reasoning(const Json& item, const std::string&) {
    std::string text;
    for (const char* key : {"content", "summary"}) {
      const Json parts = item.value(key, Json());
      for (size_t i = 0; parts.is_array() && i < parts.size(); ++i) {
        if (parts[i].is_object()) text += text_member(parts[i], "text");
      }
      if (!text.empty()) break;
    }
    if (!text.empty()) turn().reasoning = turn().reasoning.value_or("") + text;
    return Done{};
  }

  std::vector<ChatMessage>& messages_;
};

}  // namespace

Result<std::vector<ChatMessage>> read_input(const Json& input) {
  std::vector<ChatMessage> messages;
  if (input.is_string()) {
    messages.emplace_back();
    messages.back().content = input.get<std::string>();
    return messages;
  }
  if (!input.is_array()) return wire::wrong("input", "a text or an array of items", input);
  InputReader reader(messages);
  for (size_t i = 0; i < input.size(); ++i) {
    const Status status = reader.read(input[i], "input[" + std::to_string(i) + "]");
    if (!status.ok()) return status.error();
  }
  unpack_arguments(messages);
  return messages;
}

}  // namespace ink::openai
