// POST /v1/embeddings (OpenAI) and POST /v1/rerank (Jina's and Cohere's wire). Beside the wire:
// "instruction", what the vectors or the ranking are for, which Qwen3's models are trained to read.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/json.h"
#include "services/retrieval/retrieval.h"

namespace ink::openai {

struct EmbeddingCall {
  std::string model;
  EmbeddingRequest request;
  bool base64 = false;  // encoding_format: little-endian floats
  std::optional<std::chrono::milliseconds> keep_alive;
};
Result<EmbeddingCall> parse_embedding(const Json& body);
Json embedding_reply(const EmbeddingCall& call, const Embeddings& embeddings, const std::string& model);

struct RerankCall {
  std::string model;
  RerankRequest request;
  size_t top_n = SIZE_MAX;
  bool return_documents = false;
  std::optional<std::chrono::milliseconds> keep_alive;
};
Result<RerankCall> parse_rerank(const Json& body);
Json rerank_reply(const RerankCall& call, const Ranking& ranking, const std::string& model,
                  const std::string& id);

std::string base64(std::string_view bytes);

inline constexpr size_t kMaxInputs = 2048;  // of one request, as OpenAI has it

}  // namespace ink::openai
