// `inkstone run --batch`: many independent prompts with one loaded model, for measuring. The input is read
// and checked as a whole before the first answer.
#pragma once

#include <string>
#include <vector>

#include "cli/conversation.h"

namespace ink::cli {

struct BatchLine {
  Json id;  // as given, else the line's number
  std::string text;
};

// A JSONL file, "-" for stdin. Errors: kInvalid naming the line.
Result<std::vector<BatchLine>> read_batch(const std::string& path);

// Writes {"id", "content", "tool_calls", "calls"} for every line, in order; gives the exit code.
int answer_batch(LoadedModel& model, const std::vector<BatchLine>& lines, const ChatFlags& chat,
                 const std::vector<Json>& tools, std::optional<bool> enable_thinking,
                 const GenerationOptions& options);

// The system prompt, if any, and one user turn.
std::vector<ChatMessage> opening_messages(const ChatFlags& chat, const std::string& text);

}  // namespace ink::cli
