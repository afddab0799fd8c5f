// The content of Anthropic's messages, a text or blocks, as chat messages.
#pragma once

#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "text/chat.h"

namespace ink::anthropic {

// `messages` of the wire. One message may become several: each tool_result is a tool's message of its own.
Result<std::vector<ChatMessage>> read_wire_messages(const Json& messages);

// The system text: one text, or text blocks joined by line feeds, without the billing line. May be empty.
Result<std::string> read_system(const Json& system);

}  // namespace ink::anthropic
