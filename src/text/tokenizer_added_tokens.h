// Added tokens (<|im_start|>, <think>, …): whole strings that trusted text may hold and that become one id
// before anything else looks at the text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace ink {

class AddedTokenIndex {
 public:
  struct Match {
    size_t start = 0;
    size_t end = 0;
    int32_t id = 0;
  };

  AddedTokenIndex() = default;
  explicit AddedTokenIndex(std::vector<AddedToken> tokens);  // contents are not empty and differ

  // The leftmost token in `text` at or after `position`; of several that start there, the longest.
  std::optional<Match> find_first(std::string_view text, size_t position) const;
  std::optional<int32_t> find(std::string_view content) const;

 private:
  // The longest token that `text` starts with, or null.
  const AddedToken* longest_prefix(std::string_view text) const;

  std::vector<AddedToken> tokens_;  // sorted by content, bytes compared as unsigned
  std::array<bool, 256> first_byte_{};
};

}  // namespace ink
