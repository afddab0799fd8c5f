// Messages from the OpenAI wire: parse_messages and what the doors ask about messages (text/chat.h). Lenient
// where the wire is (a call with or without its "function" wrapper, content null or missing), strict where a
// template would drop or misprint something in silence (unknown roles and parts, names that are no text).
#include "base/utf8.h"
#include "text/chat.h"

namespace ink {
namespace {

Error refused(const std::string& where, const std::string& wanted, const Json& got) {
  std::string found = "a JSON ";
  found += got.type_name();
  if (got.is_string()) {
    found += " '";
    found += first_characters(got.get_ref<const std::string&>(), 40);
    found += "'";
  }
  return Error{ErrorKind::kInvalid, where, wanted, std::move(found), ""};
}

// The value of a key that is there and not null.
const Json* given(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<Role> find_role(const std::string& name) {
  if (name == "system" || name == "developer") return Role::kSystem;
  if (name == "user") return Role::kUser;
  if (name == "assistant") return Role::kAssistant;
  if (name == "tool") return Role::kTool;
  return std::nullopt;
}

Result<ContentPart> parse_part(const Json& wire, const std::string& where) {
  if (!wire.is_object()) return refused(where, "an object", wire);
  ContentPart part;
  part.source = wire;
  if (const auto text = wire.find("text"); text != wire.end()) {
    if (!text->is_string()) return refused(where + ".text", "a text", *text);
    part.text = text->get<std::string>();
  }
  const Json* type = given(wire, "type");
  const auto is = [&](const char* name) { return type != nullptr && *type == name; };
  // A picture is known by its type or by its key, as the templates do; with a text beside, it is a picture.
  if (is("image") || wire.contains("image") || wire.contains("image_url")) {
    part.kind = ContentPart::Kind::kImage;
  } else if (is("video") || wire.contains("video") || wire.contains("video_url")) {
    part.kind = ContentPart::Kind::kVideo;
  } else if (!wire.contains("text")) {
    return refused(where, "a part with text, image, image_url, video or video_url",
                   type == nullptr ? wire : *type);
  }
  return part;
}

Status parse_content(const Json& wire, const std::string& where, ChatMessage& message) {
  if (wire.is_string()) {
    message.content = wire.get<std::string>();
  } else if (wire.is_array()) {
    std::vector<ContentPart> parts;
    for (size_t i = 0; i < wire.size(); ++i) {
      Result<ContentPart> part = parse_part(wire[i], where + "[" + std::to_string(i) + "]");
      if (!part) return part.error();
      parts.push_back(std::move(*part));
    }
    message.content = std::move(parts);
  } else if (!wire.is_null()) {
    return refused(where, "a text, parts or null", wire);
  }
  return Done{};
}

Result<ToolCall> parse_call(const Json& wire, const std::string& where) {
  if (!wire.is_object()) return refused(where, "an object", wire);
  const Json* wrapped = given(wire, "function");
  const Json& function = wrapped == nullptr ? wire : *wrapped;
  if (!function.is_object()) return refused(where + ".function", "an object", function);
  const auto name = function.find("name");
  if (name == function.end()) return refused(where, "a name", function);
  if (!name->is_string()) return refused(where + ".name", "a text", *name);
  ToolCall call;
  call.name = name->get<std::string>();
  const auto arguments = function.find("arguments");
  call.has_arguments = arguments != function.end();
  if (call.has_arguments) call.arguments = *arguments;
  return call;
}

Result<ChatMessage> parse_message(const Json& wire, const std::string& where) {
  if (!wire.is_object()) return refused(where, "an object", wire);
  ChatMessage message;
  const auto role = wire.find("role");
  const std::optional<Role> found =
      role != wire.end() && role->is_string() ? find_role(role->get<std::string>()) : std::nullopt;
  if (!found) {
    return refused(where + ".role", "system, user, assistant or tool", role == wire.end() ? Json() : *role);
  }
  message.role = *found;
  const auto content = wire.find("content");
  message.has_content = content != wire.end();
  if (message.has_content) {
    if (Status status = parse_content(*content, where + ".content", message); !status) return status.error();
  }
  if (const Json* reasoning = given(wire, "reasoning_content")) {
    if (!reasoning->is_string()) return refused(where + ".reasoning_content", "a text", *reasoning);
    message.reasoning = reasoning->get<std::string>();
  }
  if (const Json* calls = given(wire, "tool_calls")) {
    if (!calls->is_array()) return refused(where + ".tool_calls", "an array", *calls);
    for (size_t i = 0; i < calls->size(); ++i) {
      Result<ToolCall> call = parse_call((*calls)[i], where + ".tool_calls[" + std::to_string(i) + "]");
      if (!call) return call.error();
      message.tool_calls.push_back(std::move(*call));
    }
  }
  return message;
}

// A switch stands alone: "你好/no_think" is one, "https://a.b/think" and "/thinking" are none.
bool continues_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '/' || c == '.' || c == ':';
}

void find_switch(std::string_view text, std::optional<bool>& latest) {
  for (size_t at = text.find('/'); at != std::string_view::npos; at = text.find('/', at + 1)) {
    const std::string_view rest = text.substr(at);
    const bool off = rest.starts_with("/no_think");
    if (!off && !rest.starts_with("/think")) continue;
    const size_t end = at + (off ? 9 : 6);
    // A full stop or a colon behind the switch ends a sentence; in front they belong to an address.
    const bool joined_behind =
        end < text.size() && text[end] != '.' && text[end] != ':' && continues_word(text[end]);
    if ((at > 0 && continues_word(text[at - 1])) || joined_behind) continue;
    latest = !off;
  }
}

}  // namespace

Result<std::vector<ChatMessage>> parse_messages(const Json& messages, const std::string& where) {
  if (!messages.is_array()) return refused(where, "an array of messages", messages);
  std::vector<ChatMessage> out;
  out.reserve(messages.size());
  for (size_t i = 0; i < messages.size(); ++i) {
    Result<ChatMessage> message = parse_message(messages[i], where + "[" + std::to_string(i) + "]");
    if (!message) return message.error();
    out.push_back(std::move(*message));
  }
  return out;
}

void unpack_arguments(std::span<ChatMessage> messages) {
  for (ChatMessage& message : messages) {
    for (ToolCall& call : message.tool_calls) {
      if (!call.arguments.is_string()) continue;
      Result<Json> parsed = parse_json(call.arguments.get_ref<const std::string&>(), "arguments");
      if (parsed && parsed->is_object()) call.arguments = std::move(*parsed);
    }
  }
}

std::optional<bool> thinking_soft_switch(std::span<const ChatMessage> messages) {
  std::optional<bool> latest;
  for (const ChatMessage& message : messages) {
    if (message.role != Role::kUser && message.role != Role::kSystem) continue;
    if (const auto* text = std::get_if<std::string>(&message.content)) {
      find_switch(*text, latest);
    } else if (const auto* parts = std::get_if<std::vector<ContentPart>>(&message.content)) {
      for (const ContentPart& part : *parts) find_switch(part.text, latest);
    }
  }
  return latest;
}

}  // namespace ink
