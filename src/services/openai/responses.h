// POST /v1/responses: OpenAI's newer wire, with or without previous_response_id. Function tools only; hosted
// tools, background work and conversations are refused.
#pragma once

#include "services/openai/response_store.h"
#include "services/wire/writer.h"

namespace ink::openai {

// What of the request is repeated in its answer.
struct ResponseShape {
  std::string previous_id;
  Json echo;  // instructions, tools, tool_choice, text, temperature, … in their places
  bool store = true;
  bool logprobs = false;
  std::vector<ChatMessage> conversation;  // before the answer
};

// `store` may be null: then nothing is found and nothing is kept. It has to outlive the writer. Errors: as
// parse_chat; kNotFound for an unknown previous_response_id.
Result<wire::Asked> parse_response(const Json& body, const wire::Moment& moment, ResponseStore* store);

// Its input items as messages; assistant, reasoning and calls beside each other become one turn.
Result<std::vector<ChatMessage>> read_input(const Json& input);

std::unique_ptr<wire::AnswerWriter> make_response_writer(const wire::Moment& moment, ResponseShape shape,
                                                         ResponseStore* store);

}  // namespace ink::openai
