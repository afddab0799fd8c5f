// See runtime/kv_cache.h.
#include "runtime/kv_cache.h"

#include <algorithm>

namespace ink {
namespace {

int64_t pages_for(int64_t tokens) { return (tokens + kKvPageTokens - 1) / kKvPageTokens; }

// Bytes of the keys (or of the values) of one page in one layer.
int64_t page_bytes(const ModelConfig& config, KvType type) {
  return config.num_key_value_heads * kv_page_bytes(type, config.head_dim);
}

uint64_t pool_bytes(const ModelConfig& config, KvType type, int64_t pages) {
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(config.num_hidden_layers) *
         static_cast<uint64_t>(page_bytes(config, type));
}

}  // namespace

uint64_t KvCache::size_bytes(const ModelConfig& config, KvType type, int64_t context_tokens, int sequences) {
  return 2 * pool_bytes(config, type, pages_for(context_tokens) * sequences);
}

Result<KvCache> KvCache::create(const ModelConfig& config, KvType type, int64_t context_tokens,
                                int sequences) {
  KvCache cache;
  const int64_t pages = pages_for(context_tokens) * sequences;
  for (PageMemory* pool : {&cache.keys_, &cache.values_}) {
    auto memory = PageMemory::reserve(pool_bytes(config, type, pages));
    if (!memory.ok()) return memory.error();
    *pool = std::move(*memory);
  }
  cache.shape_.type = type;
  cache.shape_.kv_heads = config.num_key_value_heads;
  cache.shape_.head_dim = config.head_dim;
  cache.shape_.layer_stride = pages * page_bytes(config, type);
  cache.sequences_.resize(static_cast<size_t>(sequences));
  cache.page_lists_.resize(static_cast<size_t>(sequences));
  // Low page numbers are handed out first, so that a short conversation touches little memory.
  for (int64_t page = pages; page-- > 0;) cache.free_pages_.push_back(static_cast<int32_t>(page));
  return cache;
}

int KvCache::open() {
  for (size_t i = 0; i < sequences_.size(); ++i) {
    if (sequences_[i].open) continue;
    sequences_[i].open = true;
    return static_cast<int>(i);
  }
  return -1;
}

void KvCache::close(int sequence) {
  truncate(sequence, 0);
  sequences_[static_cast<size_t>(sequence)].open = false;
}

void KvCache::extend(int sequence, int64_t tokens) {
  Sequence& s = sequences_[static_cast<size_t>(sequence)];
  s.length += tokens;
  while (static_cast<int64_t>(s.pages.size()) < pages_for(s.length)) {
    INK_CHECK(!free_pages_.empty(), "the context limit is checked before a step");
    s.pages.push_back(free_pages_.back());
    free_pages_.pop_back();
  }
}

void KvCache::truncate(int sequence, int64_t tokens) {
  Sequence& s = sequences_[static_cast<size_t>(sequence)];
  s.length = std::min(s.length, tokens);
  while (static_cast<int64_t>(s.pages.size()) > pages_for(s.length)) {
    free_pages_.push_back(s.pages.back());
    s.pages.pop_back();
  }
}

KvView KvCache::view() {
  for (size_t i = 0; i < sequences_.size(); ++i) page_lists_[i] = sequences_[i].pages;
  KvView view = shape_;
  view.keys = keys_.data();
  view.values = values_.data();
  view.pages = page_lists_;
  return view;
}

}  // namespace ink
