// The parts of a request that several of OpenAI's endpoints share. Each adds to `request` what the body says
// and leaves the first mistake in `fields`.
#pragma once

#include "services/answers/request.h"
#include "services/wire/fields.h"

namespace ink::openai {

// messages: texts, or parts of text; reasoning_content, reasoning and thinking are taken back alike.
void read_messages(wire::Fields& fields, AnswerRequest& request);

// The text of a content that is a text, null, or an array of parts of the kinds named (joined by line feeds);
// pictures, sound and files are refused by name.
Result<std::string> content_text(const Json& content, const std::string& where);

void read_tools(wire::Fields& fields, AnswerRequest& request);  // tools, tool_choice, parallel_tool_calls
void read_reply_format(wire::Fields& fields,
                       AnswerRequest& request);  // response_format, grammar, json_schema
// {"type": "text" | "json_object" | "json_schema", …}; the schema stands in "json_schema" or beside the type.
Result<ReplyFormat> parse_reply_format(const Json& format, const std::string& where);

// reasoning_effort, chat_template_kwargs, enable_thinking, thinking_budget
void read_thinking(wire::Fields& fields, AnswerRequest& request);
// model, temperature, top_p, …, seed, stop, logit_bias, max_tokens under its names, priority, keep_alive
void read_generation(wire::Fields& fields, AnswerRequest& request);

void read_stream(wire::Fields& fields, bool& stream, bool& include_usage);  // stream, stream_options

inline constexpr int kMaxChoices = 32;
inline constexpr int kMaxAlternatives = 20;  // of log probabilities

}  // namespace ink::openai
