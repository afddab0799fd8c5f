// Owns the pages that hold keys and values, and decides which sequence has which. Models see only the view
// (kernels/ops.h). The pool is reserved at once; a page costs memory when it is first written.
//
// Sequences that begin alike share pages. A full page whose tokens are settled can be entered into an index
// (share); a sequence that begins with the same tokens then takes it over (reuse) instead of computing it,
// also long after the sequence that wrote it has gone: pages nobody uses are kept until their place is
// needed, the least recently used goes first. What is shared is never written: a sequence that goes on in the
// middle of such a page gets a copy.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "kernels/ops.h"
#include "models/config.h"
#include "runtime/prefix_index.h"

namespace ink {

// Where a prompt stops being like anything that is kept.
struct CacheDivergence {
  int64_t matched_tokens = 0;
  std::vector<int32_t> kept;    // what stands there in the nearest kept prompt; empty: nothing does
  std::vector<int32_t> wanted;  // and in this one
};

class KvCache {
 public:
  // Pages for `tokens` tokens, and up to `sequences` sequences that share them. Errors: kTooLarge.
  static Result<KvCache> create(const ModelConfig& config, KvType type, int64_t tokens, int sequences);
  static uint64_t size_bytes(const ModelConfig& config, KvType type, int64_t tokens);

  // A sequence number that is not in use, for up to `tokens` tokens; or -1. There is always room for what was
  // granted here.
  int open(int64_t tokens);
  void close(int sequence);
  int open_count() const;

  int64_t capacity(int sequence) const { return at(sequence).granted_pages * kKvPageTokens; }

  int64_t length(int sequence) const { return static_cast<int64_t>(at(sequence).tokens.size()); }
  // Appends tokens; their slots are to be written by the next step.
  void extend(int sequence, std::span<const int32_t> tokens);
  void truncate(int sequence, int64_t tokens);

  // Makes the sequence the longest beginning of `prompt` that it holds itself or finds in the index, at most
  // all but the last token; returns its length.
  int64_t reuse(int sequence, std::span<const int32_t> prompt);
  // Enters the sequence's full pages into the index. All of its slots have been written.
  void share(int sequence);
  CacheDivergence explain(std::span<const int32_t> prompt) const;

  struct Usage {
    int64_t pages = 0;
    int64_t used = 0;  // by sequences
    int64_t kept = 0;  // by nobody, for those to come
    uint64_t page_bytes = 0;
  };
  Usage usage() const;

  // The view for a batch whose Batch::sequences are sequence numbers. Valid for sequences that are not
  // changed meanwhile.
  KvView view();

 private:
  struct Sequence {
    bool open = false;
    int64_t granted_pages = 0;
    std::vector<int32_t> tokens;
    std::vector<int32_t> pages;
  };
  static int64_t pages_for(int64_t tokens) { return (tokens + kKvPageTokens - 1) / kKvPageTokens; }
  Sequence& at(int sequence) { return sequences_[static_cast<size_t>(sequence)]; }
  const Sequence& at(int sequence) const { return sequences_[static_cast<size_t>(sequence)]; }
  int32_t take_page();  // a page for one user, with any content
  void add_user(int32_t page);
  void remove_user(int32_t page);
  void make_last_page_own(Sequence& sequence);
  void copy_page(int32_t from, int32_t to);
  struct Found {
    std::vector<int32_t> pages;
    PrefixIndex::Closest partly;  // behind them
    int64_t tokens = 0;
  };
  Found find(std::span<const int32_t> prompt) const;

  PageMemory keys_;
  PageMemory values_;
  KvView shape_;
  int64_t layers_ = 0;
  int64_t granted_pages_ = 0;
  std::vector<Sequence> sequences_;
  std::vector<int32_t> free_pages_;
  std::vector<int32_t> users_;  // of each page
  PrefixIndex index_;
  std::vector<std::span<const int32_t>> page_lists_;

  KvCache(int64_t pages, int64_t layers) : layers_(layers), index_(pages) {}
};

}  // namespace ink
