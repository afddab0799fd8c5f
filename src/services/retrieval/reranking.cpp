// Reranking (services/retrieval/retrieval.h): Qwen3-Reranker is asked for every document whether it meets the
// query, and what counts is how likely it would begin with "yes".
#include "services/retrieval/last_states.h"
#include "services/retrieval/prompts.h"
#include "services/retrieval/ranking_head.h"
#include "services/retrieval/retrieval.h"

namespace ink {

Result<Ranking> rerank(ServedModel& model, const RerankRequest& request, const std::atomic<bool>& cancelled) {
  if (request.documents.empty()) return Error{ErrorKind::kInvalid, "documents", "at least one", "none", ""};
  const Engine& engine = *model.engine;
  const auto head = RankingHead::create(engine);
  if (!head.ok()) return head.error();
  if (engine.tokenizer() == nullptr)
    return Error{ErrorKind::kUnsupported, model.name, "a tokenizer", "none", ""};
  Ranking ranking;
  const auto context = static_cast<size_t>(engine.options().context_tokens);
  const RankingPrompts prompts_of(*engine.tokenizer(), request.query, request.instruction,
                                  request.truncate ? context : SIZE_MAX);
  std::vector<std::vector<int32_t>> prompts;
  for (const std::string& document : request.documents) {
    prompts.push_back(prompts_of.prompt(document));
    ranking.prompt_tokens += static_cast<int64_t>(prompts.back().size());
  }
  const auto states = last_states(model, prompts, Priority::kChat, cancelled);
  if (!states.ok()) return states.error();
  for (const std::vector<float>& state : *states) ranking.scores.push_back(head->score(state));
  return ranking;
}

}  // namespace ink
