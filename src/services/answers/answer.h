// An answer while it grows and when it is whole, for the dialects to put into their words.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "runtime/session.h"
#include "text/tool_calls.h"

namespace ink {

struct TokenLogprob {
  std::string bytes;  // of the token; not always whole characters
  float logprob = 0;
};
struct AnsweredToken {
  TokenLogprob token;
  std::vector<TokenLogprob> top;
};

// What a piece of the stream adds. Text is whole UTF-8 characters and never part of a tag; a tool call comes
// whole: up to its last byte it may turn out to be text instead (a token limit suffices), and arguments that
// went out could not be taken back, nor would their pieces join to JSON.
struct AnswerEvent {
  enum class Kind { kPromptProgress, kReasoning, kContent, kToolCall } kind = Kind::kContent;
  std::string text;
  ToolCall call;        // kToolCall
  std::string call_id;  // kToolCall: "call_…", unique on this server
  int call_index = 0;   // kToolCall: 0, 1, …
  int64_t done = 0;     // kPromptProgress: prompt tokens read, of total
  int64_t total = 0;
  std::vector<AnsweredToken> tokens;  // of this piece, when log probabilities were asked for
};
using OnAnswerEvent = std::function<bool(const AnswerEvent&)>;  // false: nobody listens any more

struct AnswerUsage {
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;  // of the prompt
  int64_t completion_tokens = 0;
  int64_t reasoning_tokens = 0;  // of the completion
  double queued_seconds = 0;     // before the first prompt token was read
  double load_seconds = 0;       // the model had to be loaded for this answer
  double prompt_seconds = 0;
  double generation_seconds = 0;
};

struct AnsweredCall {
  std::string id;
  ToolCall call;
};

struct FinishedAnswer {
  std::string model;  // its name
  std::string reasoning;
  std::string content;
  std::vector<AnsweredCall> tool_calls;
  std::vector<AnsweredToken> tokens;  // with log probabilities
  FinishReason finish = FinishReason::kStop;
  std::string stop_string;  // which one ended the answer
  AnswerUsage usage;
  Json cache_explanation;  // null unless asked for: {"matched_tokens", "was", "is"}: two texts

  bool was_cut() const { return finish == FinishReason::kLength || finish == FinishReason::kContextFull; }
};

}  // namespace ink
