// Which tokens may come next: one bit per id of a vocabulary. The sampler applies it before everything else.
// Models have more rows than their tokenizer has tokens (Qwen3: 151,936 and 151,669): rows beyond the mask
// are never allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ink {

class TokenMask {
 public:
  explicit TokenMask(int32_t vocabulary_size = 0)
      : size_(vocabulary_size), words_((static_cast<size_t>(vocabulary_size) + 63) / 64) {}

  int32_t vocabulary_size() const { return size_; }
  // Ids outside the vocabulary are ignored, and never allowed.
  void set(int32_t id, bool allowed) {
    if (id < 0 || id >= size_) return;
    uint64_t& word = words_[static_cast<size_t>(id) / 64];
    const uint64_t bit = uint64_t{1} << (id % 64);
    word = allowed ? word | bit : word & ~bit;
  }
  bool test(int32_t id) const {
    return id >= 0 && id < size_ && (words_[static_cast<size_t>(id) / 64] >> (id % 64) & 1) != 0;
  }
  int64_t count() const;   // of the allowed ids
  int32_t lowest() const;  // the lowest allowed id; -1: none
  int32_t only() const;    // the one allowed id; -1: none or several
  void clear();
  void remove(const TokenMask& others);  // of the same vocabulary

  // -infinity for every logit whose token is not allowed.
  void apply(std::span<float> logits) const;

  bool operator==(const TokenMask&) const = default;

 private:
  int32_t size_;
  std::vector<uint64_t> words_;
};

}  // namespace ink
