// Answers in Ollama's words: lines of JSON, the last of them with the numbers; durations in nanoseconds.
#pragma once

#include "services/wire/writer.h"

namespace ink::ollama {

struct WriterShape {
  bool chat = false;  // "message" instead of "response"
  bool logprobs = false;
};

std::unique_ptr<wire::AnswerWriter> make_line_writer(const wire::Moment& moment, const WriterShape& shape);

}  // namespace ink::ollama
