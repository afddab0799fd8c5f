// See runtime/prefix_index.h.
#include "runtime/prefix_index.h"

#include <algorithm>

#include "base/check.h"

namespace ink {

int32_t PrefixIndex::find(uint64_t parent, std::span<const int32_t> tokens) const {
  const Closest best = closest(parent, tokens);
  return best.common == kKvPageTokens ? best.page : -1;
}

PrefixIndex::Closest PrefixIndex::closest(uint64_t parent, std::span<const int32_t> tokens) const {
  Closest best;
  const auto [begin, end] = followers_.equal_range(parent);
  for (auto follower = begin; follower != end; ++follower) {
    const PageTokens& other = record(follower->second).tokens;
    const int64_t most = std::min<int64_t>(kKvPageTokens, static_cast<int64_t>(tokens.size()));
    const int64_t common =
        std::mismatch(tokens.begin(), tokens.begin() + most, other.begin()).first - tokens.begin();
    if (best.page < 0 || common > best.common) best = {follower->second, common};
  }
  return best;
}

void PrefixIndex::insert(int32_t page, uint64_t parent, std::span<const int32_t> tokens) {
  Record& added = record(page);
  INK_CHECK(added.number == 0 && tokens.size() == kKvPageTokens, "a full page that is not there yet");
  added.number = ++last_number_;
  added.parent = parent;
  added.used = ++clock_;
  std::copy(tokens.begin(), tokens.end(), added.tokens.begin());
  followers_.emplace(parent, page);
}

void PrefixIndex::erase(int32_t page) {
  set_idle(page, false);
  Record& erased = record(page);
  const auto [begin, end] = followers_.equal_range(erased.parent);
  const auto place = std::find_if(begin, end, [&](const auto& entry) { return entry.second == page; });
  INK_CHECK(place != end, "a page of the index has its entry");
  followers_.erase(place);
  erased.number = 0;
}

void PrefixIndex::touch(int32_t page) {
  const bool idle = record(page).idle;
  set_idle(page, false);
  record(page).used = ++clock_;
  set_idle(page, idle);
}

void PrefixIndex::set_idle(int32_t page, bool idle) {
  Record& changed = record(page);
  if (changed.idle == idle) return;
  changed.idle = idle;
  if (idle)
    idle_.emplace(changed.used, page);
  else
    idle_.erase({changed.used, page});
}

}  // namespace ink
