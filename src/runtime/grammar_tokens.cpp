// See grammar_tokens.h. The tree is written in one pass over the sorted tokens: sorted texts are the order of
// a walk, and a token comes before all that it is the beginning of.
#include "runtime/grammar_tokens.h"

#include <algorithm>
#include <string_view>

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
  auto& nodes = tree->nodes_;
  nodes.emplace_back();
  std::vector<uint32_t> open = {0};  // the nodes on the way to the last token, by depth
  std::string_view last;
  const auto close_down_to = [&](size_t depth) {
    for (; open.size() > depth + 1; open.pop_back())
      nodes[open.back()].after = static_cast<uint32_t>(nodes.size());
  };
  for (const int32_t id : sorted_tokens(tokenizer)) {
    const std::string_view bytes = tokenizer.token_bytes(id);
    const auto shared = static_cast<size_t>(
        std::mismatch(bytes.begin(), bytes.end(), last.begin(), last.end()).first - bytes.begin());
    close_down_to(shared);
    for (size_t depth = shared + 1; depth <= bytes.size(); ++depth) {
      const auto byte = static_cast<uint8_t>(bytes[depth - 1]);
      const auto index = static_cast<uint32_t>(nodes.size());
      if (depth == 1) tree->roots_[byte] = index;
      open.push_back(index);
      nodes.push_back({0, static_cast<uint32_t>(tree->tokens_.size()), static_cast<uint16_t>(depth), byte});
    }
    tree->tokens_.push_back(id);
    tree->longest_bytes_ = std::max(tree->longest_bytes_, static_cast<uint16_t>(bytes.size()));
    last = bytes;
  }
  close_down_to(0);
  nodes[0].after = static_cast<uint32_t>(nodes.size());
  nodes.push_back({nodes[0].after, static_cast<uint32_t>(tree->tokens_.size()), 0, 0});
  tree->texts_ = std::make_unique<TextTokens>(tokenizer, tree->tokens_);
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
  if (masks_.size() >= kMaxMasks) masks_.clear();
  masks_.emplace(state, std::move(mask));
}

}  // namespace ink
