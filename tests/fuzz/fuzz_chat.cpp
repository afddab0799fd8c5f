// Conversations from arbitrary bytes, rendered by every format: no crash, and nothing that came from a
// message or a declaration is ever trusted. To see that, a mark that no format writes is put somewhere into
// every string and the prompt is made again. The same bytes are also looked at as a template text. Input: one
// byte of options (bits 0-4), one that says where the marks go, then JSON {"messages": …, "tools": …}; with
// bit 7 set, the rest is instead cut into messages at bytes 0x1e, which reaches text that is not UTF-8.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "text/chat.h"

namespace {

constexpr std::string_view kMark = "\xee\x80\x80";  // U+E000

void require(bool condition) {
  if (!condition) std::abort();
}

struct Conversation {
  std::vector<ink::ChatMessage> messages;
  std::vector<ink::Json> tools;
};

void mark(std::string& text, size_t place) { text.insert(place % (text.size() + 1), kMark); }

void mark(ink::Json& value, size_t place) {
  if (value.is_string()) {
    mark(value.get_ref<std::string&>(), place);
  } else if (value.is_array()) {
    for (ink::Json& item : value) mark(item, place);
  } else if (value.is_object()) {
    // Keys that a format looks up stay as they are, so that the same branches are taken.
    static const ink::Json kKnown = {"function", "name", "description", "parameters", "properties", "type"};
    ink::Json marked = ink::Json::object();
    for (const auto& [key, item] : value.items()) {
      std::string name = key;
      if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) mark(name, place);
      marked[name] = item;
      mark(marked[name], place);
    }
    value = std::move(marked);
  }
}

void mark(Conversation& conversation, size_t place) {
  for (ink::ChatMessage& message : conversation.messages) {
    if (auto* text = std::get_if<std::string>(&message.content)) mark(*text, place);
    if (auto* parts = std::get_if<std::vector<ink::ContentPart>>(&message.content)) {
      for (ink::ContentPart& part : *parts) {
        mark(part.text, place);
        mark(part.source, place);
      }
    }
    if (message.reasoning) mark(*message.reasoning, place);
    for (ink::ToolCall& call : message.tool_calls) {
      mark(call.name, place);
      mark(call.arguments, place);
    }
  }
  for (ink::Json& tool : conversation.tools) mark(tool, place);
}

Conversation from_json(std::string_view text) {
  Conversation conversation;
  const ink::Result<ink::Json> wire = ink::parse_json(text, "fuzz");
  if (!wire || !wire->is_object()) return conversation;
  if (const auto found = wire->find("messages"); found != wire->end()) {
    auto messages = ink::parse_messages(*found, "messages");
    if (messages) conversation.messages = std::move(*messages);
  }
  if (const auto found = wire->find("tools"); found != wire->end() && found->is_array()) {
    conversation.tools = found->get<std::vector<ink::Json>>();
  }
  return conversation;
}

// Each message: a byte for the role (bits 0-1) and what it brings (bits 2-5), then a text.
Conversation from_bytes(std::string_view text) {
  Conversation conversation;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\x1e'), text.size());
    const std::string_view field = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (field.empty()) continue;
    const auto bits = static_cast<unsigned char>(field[0]);
    const std::string said(field.substr(1));
    ink::ChatMessage message;
    message.role = static_cast<ink::Role>(bits & 3);
    if ((bits & 4) == 0) message.content = said;
    if ((bits & 8) != 0) {
      message.content = std::vector<ink::ContentPart>{{ink::ContentPart::Kind::kText, said, nullptr},
                                                      {ink::ContentPart::Kind::kImage, "", nullptr}};
    }
    if ((bits & 16) != 0) message.reasoning = said;
    if ((bits & 32) != 0) message.tool_calls = {{said, ink::Json::object({{said, said}}), true}};
    conversation.messages.push_back(std::move(message));
  }
  return conversation;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  ink::detect_chat_format(text);
  Conversation conversation = (data[0] & 0x80) != 0 ? from_bytes(text) : from_json(text);
  if ((data[0] & 8) != 0) ink::unpack_arguments(conversation.messages);
  ink::thinking_soft_switch(conversation.messages);
  Conversation marked = conversation;
  mark(marked, data[1]);
  ink::ChatOptions options;
  options.add_generation_prompt = (data[0] & 1) != 0;
  options.add_vision_id = (data[0] & 2) != 0;
  if ((data[0] & 4) != 0) options.enable_thinking = (data[0] & 16) != 0;
  for (int format = 0; format < 8; ++format) {
    options.tools = conversation.tools;
    static_cast<void>(
        ink::render_chat(static_cast<ink::ChatFormat>(format), conversation.messages, options).ok());
    options.tools = marked.tools;
    const auto prompt = ink::render_chat(static_cast<ink::ChatFormat>(format), marked.messages, options);
    if (!prompt) continue;
    for (const ink::TextSegment& segment : *prompt) {
      require(!segment.text.empty());
      require(!segment.trusted || segment.text.find(kMark) == std::string::npos);
    }
  }
  return 0;
}
