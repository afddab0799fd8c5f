// What a client wants answered, whatever dialect it spoke. The dialects (services/openai, services/anthropic,
// services/ollama) are pure functions from their JSON to this and from answers back to their JSON; they know
// no model. Everything optional is the model's own default when it is not set.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "runtime/grammar_tools.h"
#include "runtime/sampler.h"
#include "runtime/scheduler.h"
#include "text/chat.h"

namespace ink {

// A prompt that is continued as it is, without a chat format: text, in which no control token is recognised,
// or token ids.
using RawPrompt = std::variant<std::string, std::vector<int32_t>>;

struct SamplingRequest : SamplingChanges {
  std::optional<uint64_t> seed;  // not set: a new one for each answer
  std::vector<std::pair<int32_t, float>> logit_bias;
  int32_t logprobs = -1;  // as SamplingOptions::logprobs
};

struct AnswerRequest {
  std::string model;  // a name; empty: the model that the server was started with
  std::vector<ChatMessage> messages;
  std::optional<RawPrompt> raw;  // then there are no messages
  bool continue_last = false;    // the last message is the assistant's and is continued, not answered

  std::vector<Json>
      tools;  // {"type": "function", "function": {"name", "description", "parameters", "strict"}}
  ToolChoice tool_choice = ToolChoice::kAuto;
  std::string named_tool;  // with kRequired: only this one
  bool parallel_tool_calls = true;
  ReplyFormat reply;  // what the answer's text has to be: free, JSON, JSON of a schema, of a grammar

  std::optional<bool> enable_thinking;
  int64_t thinking_budget = -1;  // tokens; -1: no limit

  SamplingRequest sampling;
  int64_t max_tokens = -1;  // -1: until the context is full
  std::vector<std::string> stop;

  Priority priority = Priority::kChat;
  bool explain_cache = false;
  std::optional<std::chrono::milliseconds> keep_alive;  // how long the model stays loaded; negative: for good
};

}  // namespace ink
