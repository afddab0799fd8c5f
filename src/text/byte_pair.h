// Byte-pair merging of one word: of all neighbouring pairs the one with the lowest rank merges first, the
// leftmost of equals, until none can. The result is exactly that of the plain algorithm on bytes; short cuts
// are taken only where the vocabulary is proved at load to allow them (byte_pair.cpp).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/unicode.h"
#include "text/vocabulary_table.h"

namespace ink {

// The rank of a merge is its place in the list.
struct Merge {
  int32_t left = 0;
  int32_t right = 0;
  int32_t merged = 0;
};

class BytePair {
 public:
  static constexpr uint32_t kMaxMerges = (1u << 24) - 1;

  // Working memory for long words, kept between words by the caller; one per thread.
  struct Scratch {
    std::vector<int32_t> ids;
    std::vector<uint32_t> previous, next;
    std::vector<uint64_t> queue;
  };

  // Preconditions: every byte is a findable token of `table`, ids are inside it, at most kMaxMerges merges.
  // `table` must outlive this and stay where it is.
  BytePair(const VocabularyTable& table, std::span<const Merge> merges);

  // Appends the ids of a word (any bytes, not empty).
  void encode(std::string_view word, std::vector<int32_t>& ids, Scratch& scratch) const;
  size_t size_bytes() const;

 private:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  // What is known of a character at the start of merging: its token, and whether neighbours may break it up.
  struct Seed {
    uint32_t id : 20 = kNoId;
    uint32_t breaks_after : 1 = 1;   // unsafe when the character before it has breaks_next
    uint32_t breaks_before : 1 = 1;  // unsafe when the character behind it has breaks_last
    uint32_t breaks_next : 1 = 1;
    uint32_t breaks_last : 1 = 1;
  };
  static constexpr uint32_t kNoId = VocabularyTable::kMaxTokens;

  uint32_t rank_of(int32_t left, int32_t right) const;
  void add_merge(const Merge& merge, uint32_t rank);
  static bool ranks_grow(const VocabularyTable& table, std::span<const Merge> merges);
  void find_seeds(std::span<const Merge> merges);
  void find_whole_words();

  void merge_word(std::string_view word, std::vector<int32_t>& ids, Scratch& scratch) const;
  void append_seeds(std::string_view word, std::vector<int32_t>& ids) const;
  void merge_few(std::vector<int32_t>& ids, size_t first) const;
  void merge_many(std::vector<int32_t>& ids, size_t first, Scratch& scratch) const;

  const VocabularyTable& table_;
  std::vector<uint64_t> slots_;  // left (20 bits), right (20), rank (24); open addressing, a third full
  int shift_ = 64;
  std::vector<int32_t> merged_;    // [rank]
  std::vector<int32_t> byte_ids_;  // [256]
  std::vector<Seed> seeds_;        // [0x10000], by code point; empty when the vocabulary allows none
  std::vector<bool> whole_;        // [id]: merging the token's bytes yields just this token
};

}  // namespace ink
