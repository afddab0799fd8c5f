// Reranking (services/retrieval/retrieval.h): Qwen3-Reranker is asked for every document whether it meets the
// query, and what counts is how likely it would begin with "yes".
#include <algorithm>
#include <array>

#include "services/retrieval/last_states.h"
#include "services/retrieval/ranking_head.h"
#include "services/retrieval/retrieval.h"

namespace ink {
namespace {

constexpr const char* kBefore =
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
    "Instruct provided. Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n";
constexpr const char* kAfter = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n";

// The reference tokenises the three parts each on its own, and so the model was trained.
class RankingPrompts {
 public:
  RankingPrompts(const Engine& engine, const RerankRequest& request)
      : tokenizer_(*engine.tokenizer()),
        before_(trusted(kBefore)),
        after_(trusted(kAfter)),
        question_("<Instruct>: " +
                  (request.instruction.empty() ? kDefaultRankingInstruction : request.instruction) +
                  "\n<Query>: " + request.query + "\n<Document>: ") {
    const auto context = static_cast<size_t>(engine.options().context_tokens);
    const size_t fixed = before_.size() + after_.size();
    if (request.truncate) most_tokens_ = context > fixed ? context - fixed : 0;
  }

  std::vector<int32_t> prompt(const std::string& document) const {
    std::vector<int32_t> pair = tokenizer_.encode(question_ + document);
    if (pair.size() > most_tokens_) pair.resize(most_tokens_);
    std::vector<int32_t> ids = before_;
    ids.insert(ids.end(), pair.begin(), pair.end());
    ids.insert(ids.end(), after_.begin(), after_.end());
    return ids;
  }

 private:
  std::vector<int32_t> trusted(const char* text) const {
    const std::array<TextSegment, 1> segments = {{{text, true}}};
    return tokenizer_.encode(segments);
  }
  const Tokenizer& tokenizer_;
  std::vector<int32_t> before_;
  std::vector<int32_t> after_;
  std::string question_;
  size_t most_tokens_ = SIZE_MAX;  // of question and document
};

}  // namespace

Result<Ranking> rerank(ServedModel& model, const RerankRequest& request, const std::atomic<bool>& cancelled) {
  if (request.documents.empty()) return Error{ErrorKind::kInvalid, "documents", "at least one", "none", ""};
  const Engine& engine = *model.engine;
  const auto head = RankingHead::create(engine);
  if (!head.ok()) return head.error();
  if (engine.tokenizer() == nullptr)
    return Error{ErrorKind::kUnsupported, model.name, "a tokenizer", "none", ""};
  Ranking ranking;
  const RankingPrompts prompts_of(engine, request);
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
