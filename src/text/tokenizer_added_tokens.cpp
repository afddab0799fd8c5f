// See text/tokenizer_added_tokens.h. A sorted list and binary search instead of an automaton: candidates
// start nearly always with "<", and files with some thousand codec tokens stay cheap.
#include "text/tokenizer_added_tokens.h"

#include <algorithm>
#include <utility>

namespace ink {

AddedTokenIndex::AddedTokenIndex(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::sort(tokens_.begin(), tokens_.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.content < b.content; });
  for (const AddedToken& token : tokens_) first_byte_[static_cast<unsigned char>(token.content[0])] = true;
}

std::optional<AddedTokenIndex::Match> AddedTokenIndex::find_first(std::string_view text,
                                                                  size_t position) const {
  for (; position < text.size(); ++position) {
    if (!first_byte_[static_cast<unsigned char>(text[position])]) continue;
    const AddedToken* token = longest_prefix(text.substr(position));
    if (token != nullptr) return Match{position, position + token->content.size(), token->id};
  }
  return std::nullopt;
}

const AddedToken* AddedTokenIndex::longest_prefix(std::string_view text) const {
  const AddedToken* longest = nullptr;
  auto first = tokens_.begin();
  auto last = tokens_.end();
  // Invariant: [first, last) are the tokens that begin with the first `depth` bytes of text.
  for (size_t depth = 0; depth < text.size() && first != last; ++depth) {
    const auto byte_at = [&](const AddedToken& token) {
      return token.content.size() > depth ? static_cast<unsigned char>(token.content[depth]) : -1;
    };
    const int wanted = static_cast<unsigned char>(text[depth]);
    first = std::partition_point(first, last, [&](const AddedToken& t) { return byte_at(t) < wanted; });
    last = std::partition_point(first, last, [&](const AddedToken& t) { return byte_at(t) == wanted; });
    if (first != last && first->content.size() == depth + 1) longest = &*first;
  }
  return longest;
}

std::optional<int32_t> AddedTokenIndex::find(std::string_view content) const {
  const auto token = std::lower_bound(tokens_.begin(), tokens_.end(), content,
                                      [](const AddedToken& t, std::string_view c) { return t.content < c; });
  if (token == tokens_.end() || token->content != content) return std::nullopt;
  return token->id;
}

}  // namespace ink
