// The bytes of every token in one block, and from bytes back to the id. Also the printable letters in which
// vocabulary files write bytes (GPT-2's alphabet: "Ġ" is a space).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ink {

// Appends the bytes that `letters` stand for; false when a character is not of the alphabet.
bool append_bytes_of_letters(std::string_view letters, std::string& bytes);

// The bytes of a token that is looked for. With their hash made early, what the table has there is on its way
// from memory while others are looked for: at load three times as many are found in the same time.
struct VocabularyKey {
  std::string_view bytes;
  uint64_t hash = 0;
};

class VocabularyTable {
 public:
  // Ids fit in 20 bits, so that a pair of them and a merge rank fit in one 64-bit slot (text/byte_pair.h).
  static constexpr uint32_t kMaxTokens = (1u << 20) - 1;

  // Tokens are added in the order of their ids, and found when all are there. A token that is not findable
  // has bytes but is never the answer of find: added tokens, which plain text must not yield, and empty
  // holes.
  void reserve(size_t tokens, size_t bytes);
  void add(std::string_view bytes, bool findable);
  void finish();

  int32_t size() const { return static_cast<int32_t>(ends_.size()) - 1; }
  std::string_view bytes(int32_t id) const {  // precondition: 0 <= id < size()
    const auto i = static_cast<size_t>(id);
    return std::string_view(block_).substr(ends_[i], ends_[i + 1] - ends_[i]);
  }
  size_t longest_bytes() const { return longest_bytes_; }
  // The first findable token with these bytes, or -1.
  int32_t find(std::string_view bytes) const;
  // The same in two steps. The bytes must stay until the second.
  VocabularyKey key(std::string_view bytes) const;
  int32_t find_key(const VocabularyKey& key) const;

 private:
  struct Slot {
    uint32_t tag = 0;  // the hash's low bits: most mismatches are seen without looking at the bytes
    int32_t id = -1;
  };
  // The slot that holds these bytes, or the free one where they belong.
  size_t find_slot(std::string_view bytes, uint64_t hash) const;

  std::string block_;
  std::vector<uint32_t> ends_{0};
  std::vector<uint64_t> hashes_;  // [id] until finish(); kNotFindable
  std::vector<Slot> slots_;       // open addressing, at most two thirds full; the size is a power of two
  int shift_ = 64;                // hash >> shift_ is the slot
  size_t longest_bytes_ = 0;
};

}  // namespace ink
