// Embeddings (services/retrieval/retrieval.h), as the Qwen3-Embedding cards and paper (arXiv 2506.05176)
// describe them.
#include <cmath>

#include "services/retrieval/last_states.h"
#include "services/retrieval/prompts.h"
#include "services/retrieval/retrieval.h"

namespace ink {
namespace {

Status check_request(const ServedModel& model, const EmbeddingRequest& request) {
  const ModelConfig& config = model.engine->config();
  if (request.inputs.empty()) return Error{ErrorKind::kInvalid, "input", "at least one text", "none", ""};
  // Another way of pooling gives other vectors from the same states: wrong ones would look right.
  if (config.pooling != "last")
    return Error{ErrorKind::kUnsupported, model.name + ": pooling", "last", config.pooling, ""};
  if (request.dimensions && (*request.dimensions < 1 || *request.dimensions > config.hidden_size))
    return Error{ErrorKind::kInvalid, "dimensions", "1 to " + std::to_string(config.hidden_size),
                 std::to_string(*request.dimensions), ""};
  for (const EmbeddingInput& input : request.inputs) {
    const bool is_text = std::holds_alternative<std::string>(input);
    if (is_text && model.engine->tokenizer() == nullptr)
      return Error{ErrorKind::kUnsupported, model.name, "token ids", "text, but it has no tokenizer", ""};
    if (!is_text && !request.instruction.empty())
      return Error{ErrorKind::kInvalid, "instruction", "texts", "token ids", "put it in front of the ids"};
  }
  return Done{};
}

std::vector<int32_t> input_tokens(const ServedModel& model, const EmbeddingInput& input,
                                  const EmbeddingRequest& request) {
  const size_t most =
      request.truncate ? static_cast<size_t>(model.engine->options().context_tokens) : SIZE_MAX;
  if (const auto* text = std::get_if<std::string>(&input))
    return embedding_prompt(*model.engine->tokenizer(), *text, request.instruction, most);
  std::vector<int32_t> ids = std::get<std::vector<int32_t>>(input);
  if (ids.size() > most) ids.resize(most);
  return ids;
}

void normalise(std::vector<float>& vector) {
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * static_cast<double>(value);
  if (squares <= 0) return;
  const double scale = 1.0 / std::sqrt(squares);
  for (float& value : vector) value = static_cast<float>(static_cast<double>(value) * scale);
}

}  // namespace

Result<Embeddings> embed(ServedModel& model, const EmbeddingRequest& request,
                         const std::atomic<bool>& cancelled) {
  const Status checked = check_request(model, request);
  if (!checked.ok()) return checked.error();
  Embeddings embeddings;
  std::vector<std::vector<int32_t>> prompts;
  for (const EmbeddingInput& input : request.inputs) {
    prompts.push_back(input_tokens(model, input, request));
    embeddings.prompt_tokens += static_cast<int64_t>(prompts.back().size());
  }
  // One text is a question that somebody waits for; many are an index that is being made.
  const Priority priority = prompts.size() == 1 ? Priority::kChat : Priority::kBackground;
  auto states = last_states(model, prompts, priority, cancelled);
  if (!states.ok()) return states.error();
  embeddings.vectors = std::move(*states);
  for (std::vector<float>& vector : embeddings.vectors) {
    if (request.dimensions) vector.resize(static_cast<size_t>(*request.dimensions));
    normalise(vector);
  }
  return embeddings;
}

}  // namespace ink
