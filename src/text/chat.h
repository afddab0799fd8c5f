// The chat formats of the Qwen3 family as code. A template that comes with a model file is never run: it is
// only compared with the known ones to choose the format, and a difference is reported.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "text/tokenizer.h"

namespace ink {

enum class ChatFormat {
  kQwen3,          // hybrid: thinking on or off, /think and /no_think; also the 0.6B … 235B of 2025-04
  kQwen3Instruct,  // 2507 Instruct: never thinks
  kQwen3Thinking,  // 2507 Thinking: always thinks
  kQwen3Vl,        // VL Instruct: content in parts
  kQwen3Coder,     // XML tools
  kQwen35,         // XML tools, thinking by default
  kQwq,
  kQwen25,  // older relatives whose templates are in circulation
};

enum class Role { kSystem, kUser, kAssistant, kTool };

// A piece of a message: text, or the place of a picture or a clip.
struct ContentPart {
  enum class Kind { kText, kImage, kVideo } kind = Kind::kText;
  std::string text;
};

struct ToolCall {
  std::string name;
  Json arguments;  // an object, or a string when the caller gave the arguments as JSON text
};

struct ChatMessage {
  Role role = Role::kUser;
  // What the wire can say: nothing (null), one text, or parts.
  std::variant<std::monostate, std::string, std::vector<ContentPart>> content;
  std::optional<std::string> reasoning;
  std::vector<ToolCall> tool_calls;
};

struct ChatOptions {
  std::vector<Json> tools;  // function declarations, key order kept
  bool add_generation_prompt = true;
  std::optional<bool> enable_thinking;  // unset: the format's own default
  bool add_vision_id = false;
};

// The prompt in segments: the format's own text is trusted, everything that came from a message is not.
// Errors: kInvalid where the reference template refuses (content kind the format has no place for, …).
Result<std::vector<TextSegment>> render_chat(ChatFormat format, std::span<const ChatMessage> messages,
                                             const ChatOptions& options);

// Messages and tools as the OpenAI wire (and the golden cases) write them.
Result<std::vector<ChatMessage>> parse_messages(const Json& messages, const std::string& where);

// What a format can do, for the doors above.
struct ChatTraits {
  std::string_view name;       // "qwen3", "qwen3-instruct", … : also what --chat-template accepts
  bool can_think;              // may emit <think> … </think>
  bool can_choose_thinking;    // enable_thinking has an effect
  bool prompt_opens_thinking;  // the generation prompt (by default) already contains <think>
  bool xml_tools;              // <function=…> instead of Hermes JSON
};
const ChatTraits& chat_traits(ChatFormat format);
std::optional<ChatFormat> find_chat_format(std::string_view name);

// Chooses the format from the template text of a model file. `exact` is false when the text is not one of the
// known ones (its features decide then), so that the caller can say so.
struct DetectedFormat {
  ChatFormat format = ChatFormat::kQwen3;
  bool exact = false;
};
DetectedFormat detect_chat_format(std::string_view template_text);

}  // namespace ink
