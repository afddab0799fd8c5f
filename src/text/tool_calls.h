// What an assistant turn contains: thinking, text and tool calls, told apart while the text streams in. Both
// tool dialects: Hermes JSON (<tool_call>{"name": …}</tool_call>) and XML (<function=NAME><parameter=P>…). A
// literal "</tool_call>" or "</parameter>" inside an argument does not end the call. What cannot be parsed is
// given back as text, never dropped. The turn is the same however the text was cut into pieces.
//
// Newlines: those in front of the first character of thinking or content are left out (the format writes its
// own), and so are those between thinking and </think>, and between content and a call, unless more content
// follows. All others are kept. <think> counts only at the start of a turn, of a format that thinks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/chat.h"
#include "text/tool_calls_scan.h"

namespace ink {

struct AssistantTurn {
  std::string reasoning;
  std::string content;
  std::vector<ToolCall> tool_calls;  // arguments are objects
};

// What a piece of the stream added. Several may come from one push.
struct TurnEvent {
  enum class Kind { kReasoning, kContent, kToolCall } kind = Kind::kContent;
  std::string text;  // for kReasoning and kContent: whole characters, never a part of a tag
  ToolCall call;     // for kToolCall, complete
};

class TurnParser {
 public:
  // tools: the declarations given to the model; XML values are typed by their schemas. A call of a tool that
  // was not declared is a call all the same. starts_in_thinking: the generation prompt already opened <think>
  // (prompt_starts_thinking).
  TurnParser(ChatFormat format, std::vector<Json> tools, bool starts_in_thinking);

  std::vector<TurnEvent> push(std::string_view text);
  std::vector<TurnEvent> finish();  // flushes; an unfinished call becomes text
  const AssistantTurn& turn() const { return turn_; }

 private:
  enum class State { kThinking, kContent, kToolCall };
  using Events = std::vector<TurnEvent>;
  Events run(bool at_end);
  // Each takes what it can from rest() and tells whether another state has to go on.
  bool step_thinking(bool at_end, Events& events);
  bool step_content(bool at_end, Events& events);
  bool step_tool_call(bool at_end, Events& events);
  bool find_opening_think(bool at_end, bool& undecided);
  void emit_until_tag(TurnEvent::Kind kind, std::string_view tag, bool at_end, Events& events);
  void emit(TurnEvent::Kind kind, std::string_view text, Events& events);
  std::string_view rest() const { return std::string_view(pending_).substr(taken_); }
  CallScanner new_scanner() const;

  ChatFormat format_;
  std::vector<Json> tools_;
  State state_;
  std::string pending_;  // text whose meaning is not decided yet, from taken_ on
  size_t taken_ = 0;
  bool think_may_open_;       // nothing but newlines so far, in a format that thinks
  size_t held_newlines_ = 0;  // at the end of the thinking or content so far, not emitted
  bool call_since_text_ = false;
  CallScanner scanner_;  // of the call that starts at taken_, while kToolCall
  AssistantTurn turn_;
};

// A whole turn at once.
AssistantTurn parse_turn(ChatFormat format, std::string_view text, const std::vector<Json>& tools,
                         bool starts_in_thinking);

}  // namespace ink
