// Messages of chat completions (services/openai/fields.h). What a text-only chat format could not say is
// brought to its form here: parts of text become one text, an assistant's missing content becomes an empty
// one.
#include "base/json_pointer.h"
#include "base/utf8.h"
#include "services/openai/fields.h"

namespace ink::openai {
namespace {

// The text of one part, or why there is none.
Result<std::string> part_text(const Json& part, const std::string& where) {
  if (!part.is_object()) return wire::wrong(where, "an object", part);
  const std::string type = text_member(part, "type");
  const char* key = type == "refusal" ? "refusal" : "text";
  const bool is_text = type == "text" || type == "input_text" || type == "output_text" || type == "refusal" ||
                       (type.empty() && part.contains("text"));
  if (!is_text) {
    if (type.empty()) return wire::wrong(where + ".type", "\"text\"", part.value("type", Json()));
    return wire::not_supported(where, "parts of type '" + std::string(first_characters(type, 40)) +
                                          "' are not supported yet, only text");
  }
  const auto text = part.find(key);
  if (text == part.end() || !text->is_string())
    return wire::wrong(where + "." + key, "a text", text == part.end() ? Json() : *text);
  return text->get<std::string>();
}

Status normalize(Json& message, const std::string& where) {
  if (!message.is_object()) return Done{};  // parse_messages says so
  const bool may_be_empty =
      message.contains("role") && (message["role"] == "assistant" || message["role"] == "tool");
  const auto content = message.find("content");
  if (content != message.end() && (content->is_array() || (content->is_null() && may_be_empty))) {
    auto text = content_text(*content, where + ".content");
    if (!text.ok()) return text.error();
    message["content"] = std::move(*text);
  } else if (content == message.end() && may_be_empty) {
    message["content"] = "";
  }
  if (message.contains("reasoning_content") && !message["reasoning_content"].is_null()) return Done{};
  for (const char* name : {"reasoning", "thinking"}) {
    if (!message.contains(name) || message[name].is_null()) continue;
    message["reasoning_content"] = message[name];
    break;
  }
  return Done{};
}

}  // namespace

Result<std::string> content_text(const Json& content, const std::string& where) {
  if (content.is_null()) return std::string();
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return wire::wrong(where, "a text or parts", content);
  std::string joined;
  for (size_t i = 0; i < content.size(); ++i) {
    auto text = part_text(content[i], where + "[" + std::to_string(i) + "]");
    if (!text.ok()) return text.error();
    if (i > 0) joined += "\n";
    joined += *text;
  }
  return joined;
}

void read_messages(wire::Fields& fields, AnswerRequest& request) {
  Json messages = fields.needed("messages", "an array of messages");
  if (!fields.ok()) return;
  if (messages.is_array() && messages.empty())
    return fields.fail({ErrorKind::kInvalid, "messages", "at least one message", "none", ""});
  for (size_t i = 0; messages.is_array() && i < messages.size(); ++i) {
    const Status status = normalize(messages[i], "messages[" + std::to_string(i) + "]");
    if (!status.ok()) return fields.fail(status.error());
  }
  auto parsed = parse_messages(messages, "messages");
  if (!parsed.ok()) return fields.fail(parsed.error());
  unpack_arguments(*parsed);
  request.messages = std::move(*parsed);
  fields.flag("continue_final_message", request.continue_last);
  if (request.continue_last && request.messages.back().role != Role::kAssistant)
    fields.fail(
        {ErrorKind::kInvalid, "continue_final_message", "a last message of the assistant", "another", ""});
}

}  // namespace ink::openai
