// See services/retrieval/prompts.h.
#include "services/retrieval/prompts.h"

#include <array>
#include <string_view>

#include "services/retrieval/retrieval.h"

namespace ink {
namespace {

constexpr std::string_view kEndOfText = "<|endoftext|>";

constexpr const char* kBeforePair =
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
    "Instruct provided. Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n";
constexpr const char* kAfterPair = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n";

void append(std::vector<int32_t>& ids, const std::vector<int32_t>& more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

}  // namespace

std::vector<int32_t> embedding_prompt(const Tokenizer& tokenizer, const std::string& text,
                                      const std::string& instruction, size_t most_tokens) {
  std::string_view bare = text;
  // Some programs want their users to type it: then it is the one that is appended here anyway, and not text.
  if (bare.ends_with(kEndOfText)) bare.remove_suffix(kEndOfText.size());
  const std::string prompt =
      instruction.empty() ? std::string(bare) : "Instruct: " + instruction + "\nQuery:" + std::string(bare);
  std::vector<int32_t> ids = tokenizer.encode(prompt);
  const auto end = tokenizer.find_added(kEndOfText);
  const size_t room = end && most_tokens > 0 ? most_tokens - 1 : most_tokens;
  if (ids.size() > room) ids.resize(room);
  if (end) ids.push_back(*end);
  return ids;
}

RankingPrompts::RankingPrompts(const Tokenizer& tokenizer, const std::string& query,
                               const std::string& instruction, size_t most_tokens)
    : tokenizer_(tokenizer), before_(trusted(kBeforePair)), after_(trusted(kAfterPair)) {
  question_ = "<Instruct>: " + (instruction.empty() ? kDefaultRankingInstruction : instruction) +
              "\n<Query>: " + query + "\n<Document>: ";
  const size_t fixed = before_.size() + after_.size();
  most_pair_tokens_ = most_tokens > fixed ? most_tokens - fixed : 0;
}

std::vector<int32_t> RankingPrompts::trusted(const char* text) const {
  const std::array<TextSegment, 1> segments = {{{text, true}}};
  return tokenizer_.encode(segments);
}

// The reference tokenises the three parts each on its own.
std::vector<int32_t> RankingPrompts::prompt(const std::string& document) const {
  std::vector<int32_t> pair = tokenizer_.encode(question_ + document);
  if (pair.size() > most_pair_tokens_) pair.resize(most_pair_tokens_);
  std::vector<int32_t> ids = before_;
  append(ids, pair);
  append(ids, after_);
  return ids;
}

}  // namespace ink
