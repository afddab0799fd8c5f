// See text/byte_pair.h. Short words are merged by scanning an array for the lowest rank, which beats any
// structure up to some dozens of symbols; long ones with a heap over a linked list, n log n in the worst
// case: a prompt may be one word of a million letters.
#include "text/byte_pair.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "base/check.h"

namespace ink {
namespace {

constexpr size_t kFewSymbols = 64;
constexpr uint64_t kFreeSlot = UINT64_MAX;  // no pair: ids stop one below 2^20 - 1

uint64_t pair_key(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 20 | static_cast<uint32_t>(right);
}
uint64_t pair_hash(uint64_t key) {
  key *= 0x9e3779b97f4a7c15u;
  return key ^ key << 29;  // the product's middle bits depend on both ids; bring them to the top
}

}  // namespace

BytePair::BytePair(const VocabularyTable& table, std::span<const Merge> merges) : table_(table) {
  INK_CHECK(merges.size() <= kMaxMerges, "sizes the caller has checked");
  byte_ids_.resize(256);
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(static_cast<unsigned char>(byte));
    byte_ids_[static_cast<size_t>(byte)] = table.find({&text, 1});
    INK_CHECK(byte_ids_[static_cast<size_t>(byte)] >= 0, "the caller has checked that every byte is a token");
  }
  const size_t slots = std::bit_ceil(merges.size() * 3 + 2);
  slots_.assign(slots, kFreeSlot);
  shift_ = 64 - std::countr_zero(slots);
  add_merges(merges);
  find_seeds(merges);
  whole_ = std::make_unique<std::atomic<Answer>[]>(static_cast<size_t>(table.size()));
}

// A pair that is listed twice has its later rank, as in the reference.
void BytePair::add_merges(std::span<const Merge> merges) {
  constexpr size_t kAhead = 16;  // slots are on their way from memory while others are filled
  const auto home = [&](const Merge& merge) {
    return pair_hash(pair_key(merge.left, merge.right)) >> shift_;
  };
  const size_t mask = slots_.size() - 1;
  merged_.reserve(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    if (rank + kAhead < merges.size()) __builtin_prefetch(&slots_[home(merges[rank + kAhead])], 1);
    const uint64_t key = pair_key(merges[rank].left, merges[rank].right);
    size_t i = home(merges[rank]);
    while (slots_[i] != kFreeSlot && slots_[i] >> 24 != key) i = (i + 1) & mask;
    slots_[i] = key << 24 | rank;
    merged_.push_back(merges[rank].merged);
  }
}

uint32_t BytePair::rank_of(int32_t left, int32_t right) const {
  const uint64_t key = pair_key(left, right);
  const size_t mask = slots_.size() - 1;
  for (size_t i = pair_hash(key) >> shift_;; i = (i + 1) & mask) {
    if (slots_[i] >> 24 == key) return static_cast<uint32_t>(slots_[i] & kMaxMerges);
    if (slots_[i] == kFreeSlot) return kNoRank;
  }
}

void BytePair::encode(std::string_view word, std::vector<int32_t>& ids, Scratch& scratch) const {
  const int32_t id = table_.find(word);
  if (id >= 0 && is_whole(id, word, scratch)) {
    ids.push_back(id);
  } else {
    merge_word(word, ids, scratch);
  }
}

// A word that is a token is not always encoded as that token: only when merging leads to it.
bool BytePair::is_whole(int32_t id, std::string_view bytes, Scratch& scratch) const {
  std::atomic<Answer>& answer = whole_[static_cast<size_t>(id)];
  if (const Answer known = answer.load(std::memory_order_relaxed); known != Answer::kUnknown)
    return known == Answer::kYes;
  std::vector<int32_t> ids;
  merge_word(bytes, ids, scratch);
  const bool whole = ids.size() == 1 && ids[0] == id;
  answer.store(whole ? Answer::kYes : Answer::kNo, std::memory_order_relaxed);
  return whole;
}

void BytePair::merge_word(std::string_view word, std::vector<int32_t>& ids, Scratch& scratch) const {
  const size_t first = ids.size();
  append_seeds(word, ids);
  if (ids.size() - first <= kFewSymbols) {
    merge_few(ids, first);
  } else {
    merge_many(ids, first, scratch);
  }
}

void BytePair::merge_few(std::vector<int32_t>& ids, size_t first) const {
  uint32_t ranks[kFewSymbols];  // ranks[i]: of symbols i and i + 1
  int32_t* symbols = ids.data() + first;
  size_t pairs = ids.size() - first - 1;
  for (size_t i = 0; i < pairs; ++i) ranks[i] = rank_of(symbols[i], symbols[i + 1]);
  while (pairs > 0) {
    size_t best = 0;
    for (size_t i = 1; i < pairs; ++i) best = ranks[i] < ranks[best] ? i : best;
    if (ranks[best] == kNoRank) break;
    symbols[best] = merged_[ranks[best]];
    std::copy(symbols + best + 2, symbols + pairs + 1, symbols + best + 1);
    std::copy(ranks + best + 1, ranks + pairs, ranks + best);
    --pairs;
    if (best > 0) ranks[best - 1] = rank_of(symbols[best - 1], symbols[best]);
    if (best < pairs) ranks[best] = rank_of(symbols[best], symbols[best + 1]);
  }
  ids.resize(first + pairs + 1);
}

void BytePair::merge_many(std::vector<int32_t>& ids, size_t first, Scratch& scratch) const {
  constexpr int32_t kGone = -1;
  const auto count = static_cast<uint32_t>(ids.size() - first);
  int32_t* symbols = ids.data() + first;
  scratch.previous.resize(count);
  scratch.next.resize(count);
  uint32_t* previous = scratch.previous.data();
  uint32_t* next = scratch.next.data();
  auto& queue = scratch.queue;  // rank << 32 | position of the left symbol; the lowest is on top
  queue.clear();
  for (uint32_t i = 0; i < count; ++i) {
    previous[i] = i - 1;  // of the first symbol: never followed
    next[i] = i + 1;
    const uint32_t rank = i + 1 < count ? rank_of(symbols[i], symbols[i + 1]) : kNoRank;
    if (rank != kNoRank) queue.push_back(static_cast<uint64_t>(rank) << 32 | i);
  }
  std::make_heap(queue.begin(), queue.end(), std::greater<>());
  const auto offer = [&](uint32_t left) {
    const uint32_t rank = rank_of(symbols[left], symbols[next[left]]);
    if (rank == kNoRank) return;
    queue.push_back(static_cast<uint64_t>(rank) << 32 | left);
    std::push_heap(queue.begin(), queue.end(), std::greater<>());
  };
  while (!queue.empty()) {
    const auto rank = static_cast<uint32_t>(queue.front() >> 32);
    const auto left = static_cast<uint32_t>(queue.front());
    std::pop_heap(queue.begin(), queue.end(), std::greater<>());
    queue.pop_back();
    const uint32_t right = symbols[left] == kGone ? count : next[left];
    if (right == count || rank_of(symbols[left], symbols[right]) != rank) continue;  // overtaken by a merge
    symbols[left] = merged_[rank];
    symbols[right] = kGone;
    next[left] = next[right];
    if (next[left] < count) {
      previous[next[left]] = left;
      offer(left);
    }
    if (left > 0) offer(previous[left]);
  }
  ids.erase(std::remove(ids.begin() + static_cast<ptrdiff_t>(first), ids.end(), kGone), ids.end());
}

}  // namespace ink
