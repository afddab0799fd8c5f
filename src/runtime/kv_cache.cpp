// See runtime/kv_cache.h.
#include "runtime/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ink {
namespace {

constexpr size_t kExplainedTokens = 16;

uint64_t pool_bytes(const ModelConfig& config, KvType type, int64_t pages) {
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(config.num_hidden_layers) *
         static_cast<uint64_t>(config.num_key_value_heads * kv_page_bytes(type, config.head_dim));
}

}  // namespace

uint64_t KvCache::size_bytes(const ModelConfig& config, KvType type, int64_t tokens) {
  return 2 * pool_bytes(config, type, pages_for(tokens));
}

Result<KvCache> KvCache::create(const ModelConfig& config, KvType type, int64_t tokens, int sequences) {
  const int64_t pages = pages_for(tokens);
  KvCache cache(pages, config.num_hidden_layers);
  for (PageMemory* pool : {&cache.keys_, &cache.values_}) {
    auto memory = PageMemory::reserve(pool_bytes(config, type, pages));
    if (!memory.ok()) return memory.error();
    *pool = std::move(*memory);
  }
  cache.shape_.type = type;
  cache.shape_.kv_heads = config.num_key_value_heads;
  cache.shape_.head_dim = config.head_dim;
  cache.shape_.pool_pages = pages;
  cache.sequences_.resize(static_cast<size_t>(sequences));
  cache.page_lists_.resize(static_cast<size_t>(sequences));
  cache.users_.resize(static_cast<size_t>(pages));
  // Low page numbers are handed out first, so that a short conversation touches little memory.
  for (int64_t page = pages; page-- > 0;) cache.free_pages_.push_back(static_cast<int32_t>(page));
  return cache;
}

int KvCache::open(int64_t tokens) {
  if (granted_pages_ + pages_for(tokens) > shape_.pool_pages) return -1;
  for (size_t i = 0; i < sequences_.size(); ++i) {
    if (sequences_[i].open) continue;
    sequences_[i].open = true;
    sequences_[i].granted_pages = pages_for(tokens);
    granted_pages_ += sequences_[i].granted_pages;
    return static_cast<int>(i);
  }
  return -1;
}

int KvCache::open_count() const {
  return static_cast<int>(
      std::count_if(sequences_.begin(), sequences_.end(), [](const Sequence& s) { return s.open; }));
}

void KvCache::close(int sequence) {
  truncate(sequence, 0);
  granted_pages_ -= std::exchange(at(sequence).granted_pages, 0);
  at(sequence).open = false;
}

void KvCache::extend(int sequence, std::span<const int32_t> tokens) {
  if (tokens.empty()) return;
  Sequence& s = at(sequence);
  make_last_page_own(s);
  s.tokens.insert(s.tokens.end(), tokens.begin(), tokens.end());
  const int64_t needed = pages_for(static_cast<int64_t>(s.tokens.size()));
  INK_CHECK(needed <= s.granted_pages, "what a sequence may hold is checked before a step");
  while (static_cast<int64_t>(s.pages.size()) < needed) s.pages.push_back(take_page());
}

void KvCache::truncate(int sequence, int64_t tokens) {
  Sequence& s = at(sequence);
  if (tokens >= static_cast<int64_t>(s.tokens.size())) return;
  s.tokens.resize(static_cast<size_t>(tokens));
  while (static_cast<int64_t>(s.pages.size()) > pages_for(tokens)) {
    remove_user(s.pages.back());
    s.pages.pop_back();
  }
}

int64_t KvCache::reuse(int sequence, std::span<const int32_t> prompt) {
  Sequence& s = at(sequence);
  const auto wanted = prompt.first(prompt.empty() ? 0 : prompt.size() - 1);
  const size_t limit = std::min(s.tokens.size(), wanted.size());
  const int64_t own =
      std::mismatch(wanted.begin(), wanted.begin() + static_cast<int64_t>(limit), s.tokens.begin()).first -
      wanted.begin();
  const Found found = find(wanted);
  if (found.tokens <= own) {
    truncate(sequence, own);
    return own;
  }
  // First the new users, then the old ones: a page that is in both must not go.
  for (auto page = found.pages.rbegin(); page != found.pages.rend(); ++page) add_user(*page);
  if (found.partly.common > 0) add_user(found.partly.page);
  truncate(sequence, 0);
  s.pages = found.pages;
  s.tokens.assign(wanted.begin(), wanted.begin() + found.tokens);
  if (found.partly.common > 0) s.pages.push_back(found.partly.page);
  return found.tokens;
}

KvCache::Found KvCache::find(std::span<const int32_t> prompt) const {
  Found found;
  uint64_t parent = PrefixIndex::kRoot;
  for (auto rest = prompt; !rest.empty(); rest = rest.subspan(kKvPageTokens)) {
    const PrefixIndex::Closest next = index_.closest(parent, rest);
    found.tokens += next.common;
    if (next.common < kKvPageTokens) {
      found.partly = next;
      break;
    }
    found.pages.push_back(next.page);
    parent = index_.number(next.page);
  }
  return found;
}

void KvCache::share(int sequence) {
  Sequence& s = at(sequence);
  uint64_t parent = PrefixIndex::kRoot;
  const size_t full = s.tokens.size() / kKvPageTokens;
  for (size_t i = 0; i < full; ++i) {
    const auto tokens = std::span(s.tokens).subspan(i * kKvPageTokens, kKvPageTokens);
    const int32_t known = index_.find(parent, tokens);
    if (known < 0) {
      index_.insert(s.pages[i], parent, tokens);
    } else if (known != s.pages[i]) {  // written twice, at the same time: one is enough
      add_user(known);
      remove_user(std::exchange(s.pages[i], known));
    }
    parent = index_.number(s.pages[i]);
  }
  // The beginning is used more often than what follows, and must not go before it.
  for (size_t i = full; i-- > 0;) index_.touch(s.pages[i]);
}

CacheDivergence KvCache::explain(std::span<const int32_t> prompt) const {
  CacheDivergence divergence;
  const Found found = find(prompt.first(prompt.empty() ? 0 : prompt.size() - 1));
  divergence.matched_tokens = found.tokens;
  const auto rest = prompt.subspan(static_cast<size_t>(found.tokens));
  divergence.wanted.assign(rest.begin(),
                           rest.begin() + static_cast<int64_t>(std::min(rest.size(), kExplainedTokens)));
  if (found.partly.page < 0) return divergence;
  const auto kept =
      std::span(index_.tokens(found.partly.page)).subspan(static_cast<size_t>(found.partly.common));
  divergence.kept.assign(kept.begin(),
                         kept.begin() + static_cast<int64_t>(std::min(kept.size(), kExplainedTokens)));
  return divergence;
}

KvCache::Usage KvCache::usage() const {
  Usage usage;
  usage.pages = shape_.pool_pages;
  usage.kept = index_.idle_count();
  usage.used = usage.pages - usage.kept - static_cast<int64_t>(free_pages_.size());
  usage.page_bytes = static_cast<uint64_t>(2 * layers_ * shape_.kv_heads * shape_.page_bytes());
  return usage;
}

int32_t KvCache::take_page() {
  int32_t page = -1;
  if (!free_pages_.empty()) {
    page = free_pages_.back();
    free_pages_.pop_back();
  } else {
    page = index_.oldest_idle();
    INK_CHECK(page >= 0, "pages are granted when a sequence is opened");
    index_.erase(page);
  }
  users_[static_cast<size_t>(page)] = 1;
  return page;
}

void KvCache::add_user(int32_t page) {
  if (users_[static_cast<size_t>(page)]++ == 0) index_.set_idle(page, false);
  index_.touch(page);
}

void KvCache::remove_user(int32_t page) {
  if (--users_[static_cast<size_t>(page)] > 0) return;
  if (index_.contains(page))
    index_.set_idle(page, true);
  else
    free_pages_.push_back(page);
}

void KvCache::make_last_page_own(Sequence& s) {
  if (s.tokens.size() % kKvPageTokens == 0) return;
  const int32_t page = s.pages.back();
  if (!index_.contains(page)) return;
  if (users_[static_cast<size_t>(page)] == 1 && index_.oldest_idle() < 0 && free_pages_.empty()) {
    index_.erase(page);  // no place for a copy
    return;
  }
  s.pages.back() = take_page();
  copy_page(page, s.pages.back());
  remove_user(page);
}

void KvCache::copy_page(int32_t from, int32_t to) {
  const auto bytes = static_cast<size_t>(shape_.page_bytes());
  for (const PageMemory* pool : {&keys_, &values_}) {
    for (int64_t layer = 0; layer < layers_; ++layer) {
      for (int64_t head = 0; head < shape_.kv_heads; ++head) {
        std::memcpy(pool->data() + shape_.place(layer, head, to),
                    pool->data() + shape_.place(layer, head, from), bytes);
      }
    }
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
