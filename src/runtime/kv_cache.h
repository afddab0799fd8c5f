// Owns the pages that hold keys and values, and decides which sequence has which. Models see only the view
// (kernels/ops.h). The pool is reserved at once; a page costs memory when it is first written.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "kernels/ops.h"
#include "models/config.h"

namespace ink {

class KvCache {
 public:
  // Room for `sequences` sequences of `context_tokens` tokens each. Errors: kTooLarge.
  static Result<KvCache> create(const ModelConfig& config, KvType type, int64_t context_tokens,
                                int sequences);
  static uint64_t size_bytes(const ModelConfig& config, KvType type, int64_t context_tokens, int sequences);

  // A sequence number that is not in use, or -1.
  int open();
  void close(int sequence);

  int64_t length(int sequence) const { return sequences_[static_cast<size_t>(sequence)].length; }
  // Makes the sequence longer by `tokens`; the new slots are to be written by the next step. There is always
  // room up to context_tokens.
  void extend(int sequence, int64_t tokens);
  void truncate(int sequence, int64_t tokens);

  // The view for a batch whose Batch::sequences are sequence numbers. Valid until pages change hands.
  KvView view();

 private:
  struct Sequence {
    bool open = false;
    int64_t length = 0;
    std::vector<int32_t> pages;
  };
  PageMemory keys_;
  PageMemory values_;
  KvView shape_;
  std::vector<Sequence> sequences_;
  std::vector<int32_t> free_pages_;
  std::vector<std::span<const int32_t>> page_lists_;
};

}  // namespace ink
