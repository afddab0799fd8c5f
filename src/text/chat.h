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
std::string_view role_name(Role role);  // "user", "assistant", …

// A piece of a message: text, or the place of a picture or a clip.
struct ContentPart {
  enum class Kind { kText, kImage, kVideo } kind = Kind::kText;
  std::string text;
  Json
      source;  // the part as it came; null when made by hand. Text-only formats print a tool's parts this way
};

struct ToolCall {
  std::string name;
  Json arguments;             // an object, or a string when the caller gave the arguments as JSON text
  bool has_arguments = true;  // false: the key was missing, which templates tell from null
};

struct ChatMessage {
  Role role = Role::kUser;
  // What the wire can say: nothing (null), one text, or parts.
  std::variant<std::monostate, std::string, std::vector<ContentPart>> content;
  bool has_content = true;  // false: the key was missing, which templates tell from null
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

// True when the prompt made with this choice ends inside an open <think>: what TurnParser has to be told.
bool prompt_starts_thinking(ChatFormat format, std::optional<bool> enable_thinking);

// Messages as the OpenAI wire (and the golden cases) write them; "developer" is the wire's newer word for
// system. Errors: kInvalid with the place ("messages[2].content[0]"); a part of unknown kind is refused,
// since the templates would drop it in silence.
Result<std::vector<ChatMessage>> parse_messages(const Json& messages, const std::string& where);

// The wire writes arguments as JSON text, the XML formats need them as objects: replaces every text that
// holds an object by that object. Other texts stay as they are, and the format refuses them or prints them.
void unpack_arguments(std::span<ChatMessage> messages);

// The latest /think (true) or /no_think (false) in user and system text, for the doors to know what to expect
// of a kQwen3 model. The marks stay in the prompt: the model reads them. Without meaning when enable_thinking
// is false.
std::optional<bool> thinking_soft_switch(std::span<const ChatMessage> messages);

// What a format can do, for the doors above.
struct ChatTraits {
  std::string_view name;       // "qwen3", "qwen3-instruct", … : also what --chat-template accepts
  bool can_think;              // may emit <think> … </think>
  bool can_choose_thinking;    // enable_thinking has an effect
  bool prompt_opens_thinking;  // the generation prompt (by default) ends inside an open <think>
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
