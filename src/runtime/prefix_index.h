// Which pages of the cache hold the beginning of which prompts: full pages, found by what stands in them and
// in all pages before them. A page's content has a number, and a page is known by the number of the page
// before it and its own tokens; numbers are never used twice, so that a page which was dropped takes nothing
// with it but the way to its followers. No hashes stand for tokens: what is found is what was asked for.
//
// Pages that no sequence uses are "idle": they wait here, the least recently used first, until their memory
// is wanted.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/attention.h"

namespace ink {

class PrefixIndex {
 public:
  static constexpr uint64_t kRoot = 0;  // the number of "no page before this one"
  using PageTokens = std::array<int32_t, kKvPageTokens>;

  explicit PrefixIndex(int64_t pages) : records_(static_cast<size_t>(pages)) {}

  // The page with these tokens behind content `parent`; -1: none.
  int32_t find(uint64_t parent, std::span<const int32_t> tokens) const;
  // The page behind `parent` that begins like `tokens` for the longest time, and for how many tokens.
  struct Closest {
    int32_t page = -1;
    int64_t common = 0;
  };
  Closest closest(uint64_t parent, std::span<const int32_t> tokens) const;

  bool contains(int32_t page) const { return record(page).number != 0; }
  uint64_t number(int32_t page) const { return record(page).number; }
  const PageTokens& tokens(int32_t page) const { return record(page).tokens; }

  void insert(int32_t page, uint64_t parent, std::span<const int32_t> tokens);
  void erase(int32_t page);
  void touch(int32_t page);  // used just now
  void set_idle(int32_t page, bool idle);
  int32_t oldest_idle() const { return idle_.empty() ? -1 : idle_.begin()->second; }
  int64_t idle_count() const { return static_cast<int64_t>(idle_.size()); }

 private:
  struct Record {
    uint64_t number = 0;  // 0: not in the index
    uint64_t parent = 0;
    uint64_t used = 0;  // when, in calls of touch
    bool idle = false;
    PageTokens tokens = {};
  };
  const Record& record(int32_t page) const { return records_[static_cast<size_t>(page)]; }
  Record& record(int32_t page) { return records_[static_cast<size_t>(page)]; }

  std::vector<Record> records_;
  std::unordered_multimap<uint64_t, int32_t> followers_;  // parent → pages
  std::set<std::pair<uint64_t, int32_t>> idle_;           // (used, page)
  uint64_t last_number_ = 0;
  uint64_t clock_ = 0;
};

}  // namespace ink
