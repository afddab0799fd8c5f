// See text/chat_prompt.h.
#include "text/chat_prompt.h"

#include <algorithm>

#include "base/check.h"
#include "text/chat_python.h"

namespace ink {

void MarkedText::append(std::string_view text, bool trusted) {
  if (text.empty()) return;
  text_ += text;
  if (!runs_.empty() && runs_.back().trusted == trusted) {
    runs_.back().end = text_.size();
  } else {
    runs_.push_back({text_.size(), trusted});
  }
}

void MarkedText::append(const MarkedText& other) {
  size_t start = 0;
  for (const Run& run : other.runs_) {
    append(std::string_view(other.text_).substr(start, run.end - start), run.trusted);
    start = run.end;
  }
}

MarkedText MarkedText::slice(std::string_view part) const {
  MarkedText out;
  if (part.empty()) return out;
  INK_CHECK(part.data() >= text_.data() && part.data() + part.size() <= text_.data() + text_.size(),
            "slice of another text");
  const auto first = static_cast<size_t>(part.data() - text_.data());
  const size_t last = first + part.size();
  size_t start = 0;
  for (const Run& run : runs_) {
    const size_t from = std::max(start, first);
    const size_t to = std::min(run.end, last);
    if (from < to) out.append(std::string_view(text_).substr(from, to - from), run.trusted);
    start = run.end;
  }
  return out;
}

std::vector<TextSegment> MarkedText::segments() const {
  std::vector<TextSegment> out;
  out.reserve(runs_.size());
  size_t start = 0;
  for (const Run& run : runs_) {
    out.push_back({text_.substr(start, run.end - start), run.trusted});
    start = run.end;
  }
  return out;
}

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
    case Role::kTool:
      break;
  }
  return "tool";
}

void write_turn_start(MarkedText& prompt, Role role) {
  prompt.literal("<|im_start|>");
  prompt.literal(role_name(role));
  prompt.literal("\n");
}

void write_turn_end(MarkedText& prompt) { prompt.literal("<|im_end|>\n"); }

Error content_refused(size_t index, const std::string& wanted) {
  return Error{ErrorKind::kInvalid, "messages[" + std::to_string(index) + "].content", wanted,
               "something else", "this model's chat format has no place for it"};
}

Status write_text_turn(MarkedText& prompt, std::span<const ChatMessage> messages, size_t index) {
  const std::string* text = content_text(messages[index]);
  if (text == nullptr) return content_refused(index, "a text");
  write_turn_start(prompt, messages[index].role);
  prompt.message(*text);
  write_turn_end(prompt);
  return Done{};
}

void write_tool_lines(MarkedText& prompt, const std::vector<Json>& tools) {
  for (const Json& tool : tools) {
    prompt.literal("\n");
    prompt.message(python_json(tool));
  }
}

void write_vision(MarkedText& prompt, ContentPart::Kind kind, VisionCount& count, bool numbered) {
  const bool image = kind == ContentPart::Kind::kImage;
  const int number = image ? ++count.images : ++count.videos;
  if (numbered) prompt.literal((image ? "Picture " : "Video ") + std::to_string(number) + ": ");
  prompt.literal(image ? "<|vision_start|><|image_pad|><|vision_end|>"
                       : "<|vision_start|><|video_pad|><|vision_end|>");
}

void write_tool_result(MarkedText& prompt, std::span<const ChatMessage> messages, size_t index,
                       const MarkedText& content, const ToolResultLayout& layout) {
  const bool opens = index == 0 ? layout.opens_at_start : messages[index - 1].role != Role::kTool;
  const bool closes = index + 1 == messages.size() || messages[index + 1].role != Role::kTool;
  if (opens) prompt.literal("<|im_start|>user");
  if (opens || layout.newline_in_front) prompt.literal("\n");
  prompt.literal("<tool_response>\n");
  prompt.append(content);
  prompt.literal("\n</tool_response>");
  if (!layout.newline_in_front) prompt.literal("\n");
  if (closes) write_turn_end(prompt);
}

SplitThinking split_thinking(std::string_view content) {
  constexpr std::string_view kOpen = "<think>";
  constexpr std::string_view kClose = "</think>";
  const size_t first = content.find(kClose);
  if (first == std::string_view::npos) return {{}, content};
  std::string_view reasoning = strip_trailing_newlines(content.substr(0, first));
  if (const size_t open = reasoning.rfind(kOpen); open != std::string_view::npos) {
    reasoning.remove_prefix(open + kOpen.size());
  }
  const size_t last = content.rfind(kClose);
  return {strip_leading_newlines(reasoning), strip_leading_newlines(content.substr(last + kClose.size()))};
}

std::optional<size_t> find_last_query(std::span<const ChatMessage> messages, const QueryText& query_text) {
  for (size_t index = messages.size(); index-- > 0;) {
    if (messages[index].role != Role::kUser) continue;
    const std::optional<std::string_view> text = query_text(index);
    if (!text) continue;
    if (!text->starts_with("<tool_response>") || !text->ends_with("</tool_response>")) return index;
  }
  return std::nullopt;
}

std::string_view thinking_opening(ChatFormat format, std::optional<bool> enable_thinking) {
  constexpr std::string_view kOpened = "<think>\n";
  constexpr std::string_view kPassedOver = "<think>\n\n</think>\n\n";
  switch (format) {
    case ChatFormat::kQwen3:
      return enable_thinking.value_or(true) ? "" : kPassedOver;
    case ChatFormat::kQwen35:
      return enable_thinking.value_or(true) ? kOpened : kPassedOver;
    case ChatFormat::kQwen3Thinking:
      return kOpened;
    case ChatFormat::kQwq:  // the template in circulation thinks only when asked to
      return enable_thinking.value_or(false) ? kOpened : "<think>\n</think>";
    default:
      return "";
  }
}

void write_generation_prompt(MarkedText& prompt, ChatFormat format, const ChatOptions& options) {
  if (!options.add_generation_prompt) return;
  write_turn_start(prompt, Role::kAssistant);
  prompt.literal(thinking_opening(format, options.enable_thinking));
}

}  // namespace ink
