// The table of formats, the choice of one, and the way into the two families of writers (text/chat_prompt.h).
// A template text is recognised by its hash, so that the texts themselves need not travel with the program;
// one with any difference is told by the features that matter to us and reported as not exact.
#include "text/chat.h"

#include <array>
#include <cstdint>

#include "text/chat_prompt.h"

namespace ink {
namespace {

struct FormatRow {
  ChatFormat format;
  ChatTraits traits;
};

// Columns: name, can_think, can_choose_thinking, prompt_opens_thinking, xml_tools.
constexpr std::array<FormatRow, 8> kFormats = {{
    {ChatFormat::kQwen3, {"qwen3", true, true, false, false}},
    {ChatFormat::kQwen3Instruct, {"qwen3-instruct", false, false, false, false}},
    {ChatFormat::kQwen3Thinking, {"qwen3-thinking", true, false, true, false}},
    {ChatFormat::kQwen3Vl, {"qwen3-vl", false, false, false, false}},
    {ChatFormat::kQwen3Coder, {"qwen3-coder", false, false, false, true}},
    {ChatFormat::kQwen35, {"qwen3.5", true, true, true, true}},
    {ChatFormat::kQwq, {"qwq", true, true, false, false}},
    {ChatFormat::kQwen25, {"qwen2.5", false, false, false, false}},
}};

struct KnownTemplate {
  uint64_t hash;  // template_hash of the text
  ChatFormat format;
  std::string_view name;  // the file in the golden folder that has this text
};

// A test recomputes these from the golden files.
constexpr std::array<KnownTemplate, 7> kKnownTemplates = {{
    {0x2bfdb7aa9754484eULL, ChatFormat::kQwen3, "Qwen-Qwen3-0.6B"},
    {0xcd0d41a64dfce181ULL, ChatFormat::kQwen3Thinking, "Qwen3-4B-Thinking-2507"},
    {0x99ac253185d6f7c1ULL, ChatFormat::kQwen3Vl, "Qwen3-VL-Instruct"},
    {0x21dc9ed0659009cbULL, ChatFormat::kQwen3Coder, "Qwen3-Coder"},
    {0xf07c510f47fbaca0ULL, ChatFormat::kQwen35, "Qwen3.5-4B"},
    {0x40c4db92561734c8ULL, ChatFormat::kQwq, "Qwen-QwQ-32B"},
    {0xe642ce246d7f2e3dULL, ChatFormat::kQwen25, "Qwen-Qwen2.5-7B-Instruct"},
}};

// FNV-1a, 64 bits, without the white space at the end of the text: files differ in their last newline.
uint64_t template_hash(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\n");
  text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

ChatFormat guess_format(std::string_view text) {
  const auto has = [&](std::string_view feature) { return text.find(feature) != std::string_view::npos; };
  const size_t prompt = text.rfind("add_generation_prompt");
  const bool opens_thinking =
      prompt != std::string_view::npos && text.find("<think>", prompt) != std::string_view::npos;
  if (has("<function=")) return has("enable_thinking") ? ChatFormat::kQwen35 : ChatFormat::kQwen3Coder;
  if (has("vision_start")) return ChatFormat::kQwen3Vl;
  if (has("reasoning_content")) {
    return opens_thinking && !has("enable_thinking") ? ChatFormat::kQwen3Thinking : ChatFormat::kQwen3;
  }
  if (opens_thinking && has("split('</think>')")) return ChatFormat::kQwq;
  if (has("enable_thinking")) return ChatFormat::kQwen3;
  if (opens_thinking) return ChatFormat::kQwen3Thinking;
  if (has("You are Qwen, created by Alibaba Cloud")) return ChatFormat::kQwen25;
  return has("<tool_call>") ? ChatFormat::kQwen3Instruct : ChatFormat::kQwen3;
}

}  // namespace

Result<std::vector<TextSegment>> render_chat(ChatFormat format, std::span<const ChatMessage> messages,
                                             const ChatOptions& options) {
  if (messages.empty()) return Error{ErrorKind::kInvalid, "messages", "at least one message", "none", ""};
  Result<MarkedText> prompt = format == ChatFormat::kQwen3Coder ? render_coder(messages, options)
                              : format == ChatFormat::kQwen35   ? render_qwen35(messages, options)
                                                                : render_hermes(format, messages, options);
  if (!prompt) return prompt.error();
  return prompt->segments();
}

bool prompt_starts_thinking(ChatFormat format, std::optional<bool> enable_thinking) {
  return thinking_opening(format, enable_thinking).ends_with("<think>\n");
}

const ChatTraits& chat_traits(ChatFormat format) {
  for (const FormatRow& row : kFormats) {
    if (row.format == format) return row.traits;
  }
  return kFormats[0].traits;
}

std::optional<ChatFormat> find_chat_format(std::string_view name) {
  for (const FormatRow& row : kFormats) {
    if (row.traits.name == name) return row.format;
  }
  return std::nullopt;
}

DetectedFormat detect_chat_format(std::string_view template_text) {
  const uint64_t hash = template_hash(template_text);
  for (const KnownTemplate& known : kKnownTemplates) {
    if (known.hash == hash) return {known.format, true};
  }
  return {guess_format(template_text), false};
}

}  // namespace ink
