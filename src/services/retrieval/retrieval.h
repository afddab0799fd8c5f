// Finding by meaning: texts as vectors (Qwen3-Embedding) and documents scored against a query
// (Qwen3-Reranker). Both read the state of a prompt's last token, so what stands at its end decides: an
// embedding's text ends with <|endoftext|>, always appended here, because leaving it out makes vectors worse
// without any error.
//
// Any causal model may embed: the vectors of a chat model mean little, but it is what llama.cpp and Ollama
// let people do. Ranking is refused (kUnsupported) where nothing in the model says "yes" and "no".
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "services/library/library.h"

namespace ink {

// A text, in which no control token is recognised, or token ids, which are fed exactly as they are.
using EmbeddingInput = std::variant<std::string, std::vector<int32_t>>;

struct EmbeddingRequest {
  std::vector<EmbeddingInput> inputs;
  // What the vectors are for, in one sentence; for queries only: "Instruct: …\nQuery:…". Empty: the bare
  // text.
  std::string instruction;
  std::optional<int64_t> dimensions;  // Matryoshka: the first so many numbers, normalised again
  bool truncate = false;              // cut texts that are longer than the context, instead of kTooLarge
};

struct Embeddings {
  std::vector<std::vector<float>> vectors;  // [dimensions] each, of length 1 (L2), in the order of the inputs
  int64_t prompt_tokens = 0;                // with the appended <|endoftext|>
};

// Blocks while it computes; several may run at once. `cancelled` is read at every step. Errors: kInvalid (no
// input, empty ids, dimensions, an instruction with ids), kTooLarge (an input longer than the context: where
// is "context", with both numbers; no sequence free: where is "sequences"), kUnsupported (text without a
// tokenizer), kCancelled.
Result<Embeddings> embed(ServedModel& model, const EmbeddingRequest& request,
                         const std::atomic<bool>& cancelled);

inline constexpr const char* kDefaultRankingInstruction =
    "Given a web search query, retrieve relevant passages that answer the query";

struct RerankRequest {
  std::string query;
  std::vector<std::string> documents;
  std::string instruction;  // empty: kDefaultRankingInstruction
  bool truncate = false;    // cut documents that are longer than the context, instead of kTooLarge
};

struct Ranking {
  std::vector<float> scores;  // 0 to 1: how likely the answer is "yes"; in the order of the documents
  int64_t prompt_tokens = 0;
};

// As embed. Errors besides: kUnsupported where the model has no single tokens "yes" and "no", or a
// classifier of more than two classes.
Result<Ranking> rerank(ServedModel& model, const RerankRequest& request, const std::atomic<bool>& cancelled);

}  // namespace ink
