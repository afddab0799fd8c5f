// Tokens as a tree of their bytes, in the order of a walk. It is written in one pass over the sorted tokens:
// sorted texts are that order already, and a token comes before all that it is the beginning of.
#pragma once

#include <cstdint>
#include <vector>

#include "text/tokenizer.h"

namespace ink {

class ByteTree {
 public:
  // The first child of a node follows it, and what follows its whole subtree is at `after`. Node 0 is the
  // empty text.
  struct Node {
    uint32_t after = 0;
    uint32_t first_token = 0;  // in tokens(); its end is the next node's first_token
    uint16_t depth = 0;        // bytes from the root
    uint8_t byte = 0;
  };

  // Tokens that are sorted by their bytes, none empty.
  ByteTree(const Tokenizer& tokenizer, std::vector<int32_t> sorted);

  const std::vector<Node>& nodes() const { return nodes_; }  // the last one is only an end
  const std::vector<int32_t>& tokens() const { return tokens_; }

 private:
  std::vector<Node> nodes_;
  std::vector<int32_t> tokens_;
};

}  // namespace ink
