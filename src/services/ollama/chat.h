// POST /api/chat and /api/generate: Ollama's wire to a request and answers back to it, as lines of JSON.
// Options that shape how Ollama loads a model (num_ctx, num_gpu, …) are ignored: what is loaded here serves
// everybody, and a prompt is never cut in silence.
#pragma once

#include "services/wire/writer.h"

namespace ink::ollama {

struct AskedOllama {
  wire::Asked asked;
  // No prompt: the model is to be loaded, or with a keep_alive of 0 unloaded, and nothing is answered.
  bool only_load = false;
  bool unload = false;
};

Result<AskedOllama> parse_chat(const Json& body, const wire::Moment& moment);
Result<AskedOllama> parse_generate(const Json& body, const wire::Moment& moment);

// The answer to a request that only loads. `chat`: of /api/chat.
Json load_reply(const std::string& model, const AskedOllama& asked, bool chat, const wire::Moment& moment);

// {"error": "…"}
Json error_body(const wire::Failure& failure);

}  // namespace ink::ollama
