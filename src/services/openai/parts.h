// Pieces of replies that several of OpenAI's endpoints share.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "services/answers/answer.h"
#include "services/wire/failure.h"

namespace ink::openai {

// {"error": {"message", "type", "param", "code"}}
Json error_body(const wire::Failure& failure);

std::string finish_reason(const FinishedAnswer& answer);  // stop, length, tool_calls

// usage and timings of all answers to one request; the prompts count once per `choices` answers.
Json usage_json(const std::vector<FinishedAnswer>& answers, int choices);
Json timings_json(const FinishedAnswer& answer);

// {"content": [{"token", "logprob", "bytes", "top_logprobs"}]} of chat completions
Json chat_logprobs(const std::vector<AnsweredToken>& tokens);
// [{"id", "type": "function", "function": {"name", "arguments"}}]
Json tool_calls_json(const std::vector<AnsweredCall>& calls);

}  // namespace ink::openai
