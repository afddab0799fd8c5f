// What a client is told when the transport itself refuses: in the shape that the dialect of the path has, so
// that the official clients show its message.
#pragma once

#include <string_view>

#include "server/exchange.h"
#include "server/request_reader.h"

namespace ink::server {

// "/api/…" is Ollama's, "/v1/messages…" Anthropic's, everything else OpenAI's.
Reply refusal_reply(const Refusal& refusal, std::string_view path);

}  // namespace ink::server
