// See grammar_byte_tree.h.
#include "runtime/grammar_byte_tree.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace ink {

ByteTree::ByteTree(const Tokenizer& tokenizer, std::vector<int32_t> sorted) : tokens_(std::move(sorted)) {
  nodes_.emplace_back();
  std::vector<uint32_t> open = {0};  // the nodes on the way to the last token, by depth
  std::string_view last;
  const auto close_down_to = [&](size_t depth) {
    for (; open.size() > depth + 1; open.pop_back())
      nodes_[open.back()].after = static_cast<uint32_t>(nodes_.size());
  };
  for (uint32_t i = 0; i < tokens_.size(); ++i) {
    const std::string_view bytes = tokenizer.token_bytes(tokens_[i]);
    const auto shared = static_cast<size_t>(
        std::mismatch(bytes.begin(), bytes.end(), last.begin(), last.end()).first - bytes.begin());
    close_down_to(shared);
    for (size_t depth = shared + 1; depth <= bytes.size(); ++depth) {
      open.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back({0, i, static_cast<uint16_t>(depth), static_cast<uint8_t>(bytes[depth - 1])});
    }
    last = bytes;
  }
  close_down_to(0);
  nodes_[0].after = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back({nodes_[0].after, static_cast<uint32_t>(tokens_.size()), 0, 0});
}

}  // namespace ink
