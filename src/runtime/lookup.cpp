// See runtime/lookup.h.
#include "runtime/lookup.h"

#include <algorithm>

namespace ink {
namespace {

uint64_t hash_of(std::span<const int32_t> ids) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a over 32-bit words
  for (const int32_t id : ids) hash = (hash ^ static_cast<uint32_t>(id)) * 1099511628211u;
  return hash;
}

}  // namespace

void Lookup::accept(int32_t id) {
  if (most_ == 0) return;
  past_.push_back(id);
  pause_ = std::max<int64_t>(0, pause_ - 1);
  candidate_ = 0;
  if (past_.size() < kMatch) return;
  const auto last = std::span(past_).last(kMatch);
  const auto [found, is_new] = after_.try_emplace(hash_of(last), past_.size());
  if (is_new) return;
  candidate_ = found->second;
  found->second = past_.size();
  // Two different runs of tokens may share a hash.
  const auto before = std::span(past_).subspan(candidate_ - kMatch, kMatch);
  if (!std::equal(last.begin(), last.end(), before.begin())) candidate_ = 0;
}

std::vector<int32_t> Lookup::guess(size_t at_most) {
  if (candidate_ == 0 || pause_ > 0) return {};
  const size_t count = std::min({length_, most_, at_most, past_.size() - candidate_});
  const auto first = past_.begin() + static_cast<std::ptrdiff_t>(candidate_);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

void Lookup::learn(size_t guessed, size_t right) {
  if (right == guessed) {
    length_ = std::min(most_, 2 * length_);
  } else if (right == 0) {
    length_ = std::max<size_t>(1, length_ / 2);
    pause_ = kPause;
  }
}

}  // namespace ink
