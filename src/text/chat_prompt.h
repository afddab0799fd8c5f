// What the chat formats share while they write a prompt: text that remembers which bytes are the format's
// own, and the pieces of the ChatML layout that more than one format has. Only literal() makes trusted text;
// every byte of a message, a tool declaration or a call goes through message() and can never become a control
// token.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat.h"

namespace ink {

// Text with a mark on every byte: the format's own, or somebody's. Neighbours with equal marks are joined.
class MarkedText {
 public:
  void literal(std::string_view text) { append(text, true); }
  void message(std::string_view text) { append(text, false); }
  void append(const MarkedText& other);

  const std::string& text() const { return text_; }
  // `part` must be a view into text(): the same bytes with their marks.
  MarkedText slice(std::string_view part) const;
  std::vector<TextSegment> segments() const;

 private:
  struct Run {
    size_t end;  // byte after the run; runs are in order and without gaps
    bool trusted;
  };
  void append(std::string_view text, bool trusted);
  std::string text_;
  std::vector<Run> runs_;
};

// <|im_start|>ROLE\n … <|im_end|>\n
void write_turn_start(MarkedText& prompt, Role role);
void write_turn_end(MarkedText& prompt);

// A whole turn with a text as content. Errors: kInvalid when the content is null, missing or in parts.
Status write_text_turn(MarkedText& prompt, std::span<const ChatMessage> messages, size_t index);

// The error of a format that has no place for what messages[index] contains.
Error content_refused(size_t index, const std::string& wanted);

// "\n" and each declaration as JSON on a line of its own.
void write_tool_lines(MarkedText& prompt, const std::vector<Json>& tools);

// Pictures and clips of one prompt, counted through all its messages.
struct VisionCount {
  int images = 0;
  int videos = 0;
};
void write_vision(MarkedText& prompt, ContentPart::Kind kind, VisionCount& count, bool numbered);

// Results of tools: neighbouring ones share one user turn.
struct ToolResultLayout {
  bool opens_at_start;  // a result that is the first message opens the user turn (Coder and 3.5: it does not)
  bool newline_in_front;  // "\n<tool_response>" against "<tool_response>" with the newlines behind (Coder)
};
void write_tool_result(MarkedText& prompt, std::span<const ChatMessage> messages, size_t index,
                       const MarkedText& content, const ToolResultLayout& layout);

// An assistant's content with its thinking taken off: what stands before the first and after the last
// </think>. Without </think> all is content.
struct SplitThinking {
  std::string_view reasoning;
  std::string_view content;
};
SplitThinking split_thinking(std::string_view content);

// The last user turn that asks something, as the templates search it: a turn that is wholly a tool response
// does not count. `query_text` gives the text to look at, or nullopt for a turn that never counts.
using QueryText = std::function<std::optional<std::string_view>(size_t index)>;
std::optional<size_t> find_last_query(std::span<const ChatMessage> messages, const QueryText& query_text);

// What follows "<|im_start|>assistant\n" in the generation prompt.
std::string_view thinking_opening(ChatFormat format, std::optional<bool> enable_thinking);
void write_generation_prompt(MarkedText& prompt, ChatFormat format, const ChatOptions& options);

// The two families of formats. messages is not empty.
Result<MarkedText> render_hermes(ChatFormat format, std::span<const ChatMessage> messages,
                                 const ChatOptions& options);
Result<MarkedText> render_coder(std::span<const ChatMessage> messages, const ChatOptions& options);
Result<MarkedText> render_qwen35(std::span<const ChatMessage> messages, const ChatOptions& options);

}  // namespace ink
