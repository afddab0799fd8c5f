// See token_mask.h.
#include "runtime/token_mask.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace ink {

int64_t TokenMask::count() const {
  int64_t count = 0;
  for (const uint64_t word : words_) count += std::popcount(word);
  return count;
}

int32_t TokenMask::lowest() const {
  for (size_t i = 0; i < words_.size(); ++i) {
    if (words_[i] != 0) return static_cast<int32_t>(i * 64) + std::countr_zero(words_[i]);
  }
  return -1;
}

int32_t TokenMask::only() const {
  int32_t id = -1;
  for (size_t i = 0; i < words_.size(); ++i) {
    if (words_[i] == 0) continue;
    if (id >= 0 || !std::has_single_bit(words_[i])) return -1;
    id = static_cast<int32_t>(i * 64) + std::countr_zero(words_[i]);
  }
  return id;
}

void TokenMask::clear() { std::fill(words_.begin(), words_.end(), 0); }

void TokenMask::remove(const TokenMask& others) {
  const size_t words = std::min(words_.size(), others.words_.size());
  for (size_t i = 0; i < words; ++i) words_[i] &= ~others.words_[i];
}

void TokenMask::apply(std::span<float> logits) const {
  constexpr float kNothing = -std::numeric_limits<float>::infinity();
  for (size_t begin = 0; begin < logits.size(); begin += 64) {
    const std::span<float> row = logits.subspan(begin, std::min<size_t>(64, logits.size() - begin));
    const uint64_t word = begin / 64 < words_.size() ? words_[begin / 64] : 0;
    if (word == 0) {
      std::fill(row.begin(), row.end(), kNothing);
    } else if (word != ~uint64_t{0}) {
      for (size_t i = 0; i < row.size(); ++i) {
        if ((word >> i & 1) == 0) row[i] = kNothing;
      }
    }
  }
}

}  // namespace ink
