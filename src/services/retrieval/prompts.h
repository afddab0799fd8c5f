// The token ids that the retrieval models are asked with, exactly as in their training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace ink {

// A text to embed, with its instruction if there is one, and <|endoftext|> (where the vocabulary has it). The
// text is cut so that no more than most_tokens come out.
std::vector<int32_t> embedding_prompt(const Tokenizer& tokenizer, const std::string& text,
                                      const std::string& instruction, size_t most_tokens = SIZE_MAX);

// The question whether a document meets the query, which the model answers with "yes" or "no".
class RankingPrompts {
 public:
  // Documents are cut so that no more than most_tokens come out, if that can be. An empty instruction is the
  // default one.
  RankingPrompts(const Tokenizer& tokenizer, const std::string& query, const std::string& instruction,
                 size_t most_tokens = SIZE_MAX);
  std::vector<int32_t> prompt(const std::string& document) const;

 private:
  std::vector<int32_t> trusted(const char* text) const;
  const Tokenizer& tokenizer_;
  std::vector<int32_t> before_;
  std::vector<int32_t> after_;
  std::string question_;
  size_t most_pair_tokens_;  // of question and document
};

}  // namespace ink
