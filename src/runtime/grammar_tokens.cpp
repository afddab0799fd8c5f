// See grammar_tokens.h.
#include "runtime/grammar_tokens.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace ink {
namespace {

// No vocabulary in use has a longer token (Qwen3: 128); such a one is never allowed.
constexpr size_t kMaxTokenBytes = 1024;

bool is_added(const Tokenizer& tokenizer, int32_t id) {
  return tokenizer.find_added(tokenizer.token_bytes(id)) == id;
}

// Ordinary tokens, sorted by their bytes.
std::vector<int32_t> sorted_tokens(const Tokenizer& tokenizer) {
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const std::string_view bytes = tokenizer.token_bytes(id);
    if (!bytes.empty() && bytes.size() <= kMaxTokenBytes && !is_added(tokenizer, id)) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end(), [&](int32_t a, int32_t b) {
    const int order = tokenizer.token_bytes(a).compare(tokenizer.token_bytes(b));
    return order != 0 ? order < 0 : a < b;
  });
  return ids;
}

}  // namespace

std::shared_ptr<const TokenTree> TokenTree::create(const Tokenizer& tokenizer) {
  std::shared_ptr<TokenTree> tree(new TokenTree(tokenizer));
  std::vector<int32_t> sorted = sorted_tokens(tokenizer);
  for (const int32_t id : sorted)
    tree->longest_bytes_ = std::max(tree->longest_bytes_, tokenizer.token_bytes(id).size());
  tree->texts_ = std::make_unique<TextTokens>(tokenizer, sorted);
  tree->bytes_ = std::make_unique<ByteTree>(tokenizer, std::move(sorted));
  return tree;
}

std::shared_ptr<const TokenGrammar> TokenGrammar::create(Grammar grammar,
                                                         std::shared_ptr<const TokenTree> tree) {
  std::shared_ptr<TokenGrammar> made(new TokenGrammar(std::move(grammar), std::move(tree)));
  const Tokenizer& tokenizer = made->tree_->tokenizer();
  for (const Grammar::Marker& marker : made->grammar_.markers()) {
    const auto token = tokenizer.find_added(marker.text);
    // A special one would be left out of the text that the calls are read from.
    made->marker_tokens_.push_back(token && !tokenizer.is_special(*token) ? *token : -1);
  }
  return made;
}

std::shared_ptr<const TokenMask> TokenGrammar::find_mask(const std::string& state) const {
  const std::lock_guard lock(mutex_);
  const auto found = masks_.find(state);
  return found == masks_.end() ? nullptr : found->second;
}

void TokenGrammar::keep_mask(const std::string& state, std::shared_ptr<const TokenMask> mask) const {
  const std::lock_guard lock(mutex_);
  const auto [kept, is_new] = masks_.emplace(state, std::move(mask));
  if (!is_new) return;
  if (by_age_.size() < kMaxMasks) {
    by_age_.push_back(kept);
    return;
  }
  masks_.erase(std::exchange(by_age_[oldest_], kept));
  oldest_ = (oldest_ + 1) % kMaxMasks;
}

}  // namespace ink
