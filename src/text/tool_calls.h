// What an assistant turn contains: thinking, text and tool calls, told apart while the text streams in. Both
// tool dialects: Hermes JSON (<tool_call>{"name": …}</tool_call>) and XML (<function=NAME><parameter=P>…). A
// literal
// "</tool_call>" or "</parameter>" inside an argument does not end the call. What cannot be parsed is given
// back as text, never dropped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/chat.h"

namespace ink {

struct AssistantTurn {
  std::string reasoning;
  std::string content;
  std::vector<ToolCall> tool_calls;  // arguments are objects
};

// What a piece of the stream added. Several may come from one push.
struct TurnEvent {
  enum class Kind { kReasoning, kContent, kToolCall } kind = Kind::kContent;
  std::string text;  // for kReasoning and kContent
  ToolCall call;     // for kToolCall, complete
};

class TurnParser {
 public:
  // tools: the declarations given to the model; XML values are typed by their schemas. starts_in_thinking:
  // the generation prompt already opened <think>.
  TurnParser(ChatFormat format, std::vector<Json> tools, bool starts_in_thinking);

  std::vector<TurnEvent> push(std::string_view text);
  std::vector<TurnEvent> finish();  // flushes; an unfinished call becomes text
  const AssistantTurn& turn() const { return turn_; }

 private:
  enum class State { kThinking, kContent, kToolCall };
  ChatFormat format_;
  std::vector<Json> tools_;
  State state_;
  std::string pending_;  // text whose meaning is not decided yet
  AssistantTurn turn_;
};

// A whole turn at once.
AssistantTurn parse_turn(ChatFormat format, std::string_view text, const std::vector<Json>& tools,
                         bool starts_in_thinking);

}  // namespace ink
