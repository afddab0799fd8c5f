// Byte-pair merging of one word: of all neighbouring pairs the one with the lowest rank merges first, the
// leftmost of equals, until none can. The result is exactly that of the plain algorithm on bytes; short cuts
// are taken only where the vocabulary is proved at load to allow them (byte_pair.cpp).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
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

 private:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  // What is known of a character at the start of merging (byte_pair_seeds.cpp): its token, and whether
  // neighbours may take a part of it before it is whole. Of an unknown character the worst is assumed.
  struct Seed {
    uint32_t id : 20 = kNoId;
    uint32_t fears_left : 1 = 1;   // may lose its head to a character before it that takes_head
    uint32_t fears_right : 1 = 1;  // may lose its tail to a character behind it that takes_tail
    uint32_t takes_head : 1 = 1;
    uint32_t takes_tail : 1 = 1;
  };
  struct BoundaryMerges;
  enum class Answer : uint8_t { kUnknown, kYes, kNo };
  static constexpr char32_t kSeeds = 0x10000;  // characters beyond start as bytes
  static constexpr uint32_t kNoId = VocabularyTable::kMaxTokens;

  uint32_t rank_of(int32_t left, int32_t right) const;
  void add_merges(std::span<const Merge> merges);
  void find_seeds(std::span<const Merge> merges);
  Seed make_seed(int32_t id, char32_t character, const BoundaryMerges& boundary) const;

  bool is_whole(int32_t id, std::string_view bytes, Scratch& scratch) const;
  void merge_word(std::string_view word, std::vector<int32_t>& ids, Scratch& scratch) const;
  Seed seed_at(std::string_view word, size_t position, size_t& size_bytes) const;
  void append_seeds(std::string_view word, std::vector<int32_t>& ids) const;
  void merge_few(std::vector<int32_t>& ids, size_t first) const;
  void merge_many(std::vector<int32_t>& ids, size_t first, Scratch& scratch) const;

  const VocabularyTable& table_;
  std::vector<uint64_t> slots_;  // left (20 bits), right (20), rank (24); open addressing, a third full
  int shift_ = 64;
  std::vector<int32_t> merged_;    // [rank]
  std::vector<int32_t> byte_ids_;  // [256]
  std::vector<Seed> seeds_;        // [0x10000], by code point; empty when the vocabulary allows none
  // [id] Does merging the token's bytes yield just this token? Asked of a token when it first stands as a
  // word (asking all at load took longer than everything else there); threads may ask at once and agree.
  std::unique_ptr<std::atomic<Answer>[]> whole_;
};

}  // namespace ink
