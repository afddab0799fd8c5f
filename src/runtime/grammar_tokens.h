// A vocabulary as a tree of bytes and as texts, and a grammar seen through it. Both are immutable to their
// users and may be shared by all generations and threads: the tree is built once per vocabulary (about 0.1 s
// for 151,936 tokens), a TokenGrammar once per set of tools, and it remembers the masks that were computed
// for it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/grammar.h"
#include "runtime/grammar_byte_tree.h"
#include "runtime/grammar_text_tokens.h"
#include "runtime/token_mask.h"
#include "text/tokenizer.h"

namespace ink {

// All ordinary tokens. Added tokens (<|im_start|>, <tool_call>, <think>, …) are not in the tree, so that they
// are never text: a grammar names those it wants (its markers).
class TokenTree {
 public:
  static std::shared_ptr<const TokenTree> create(const Tokenizer& tokenizer);

  const ByteTree& bytes() const { return *bytes_; }
  size_t longest_bytes() const { return longest_bytes_; }  // of a token
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const TextTokens& texts() const { return *texts_; }

 private:
  explicit TokenTree(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  Tokenizer tokenizer_;
  std::unique_ptr<const ByteTree> bytes_;
  size_t longest_bytes_ = 0;
  std::unique_ptr<const TextTokens> texts_;
};

class TokenGrammar {
 public:
  static std::shared_ptr<const TokenGrammar> create(Grammar grammar, std::shared_ptr<const TokenTree> tree);

  const Grammar& grammar() const { return grammar_; }
  const TokenTree& tree() const { return *tree_; }
  // The token of a marker of the grammar; -1: the vocabulary has none, and the marker is spelled in bytes.
  int32_t marker_token(size_t marker) const { return marker_tokens_[marker]; }

  // Masks that were computed before, by what the walker says the state is (safe from any thread). When there
  // are kMaxMasks of them, each new one takes the place of the oldest: to forget them all would cost one
  // token the freeing of 10 MB, more than half a millisecond.
  static constexpr size_t kMaxMasks = 512;  // 10 MB for the largest vocabulary
  std::shared_ptr<const TokenMask> find_mask(const std::string& state) const;
  void keep_mask(const std::string& state, std::shared_ptr<const TokenMask> mask) const;

 private:
  using Masks = std::map<std::string, std::shared_ptr<const TokenMask>>;
  TokenGrammar(Grammar grammar, std::shared_ptr<const TokenTree> tree)
      : grammar_(std::move(grammar)), tree_(std::move(tree)) {}
  Grammar grammar_;
  std::shared_ptr<const TokenTree> tree_;
  std::vector<int32_t> marker_tokens_;
  mutable std::mutex mutex_;
  mutable Masks masks_;
  mutable std::vector<Masks::const_iterator> by_age_;  // a ring, once it is full
  mutable size_t oldest_ = 0;
};

}  // namespace ink
