// See services/library/grammar_shelf.h.
#include "services/library/grammar_shelf.h"

#include <algorithm>

namespace ink {

Result<GrammarShelf::Shared> GrammarShelf::find_or_make(const std::string& key,
                                                        const std::function<Result<Shared>()>& make) {
  const auto is_it = [&](const auto& entry) { return entry.first == key; };
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(shelf_.begin(), shelf_.end(), is_it);
    if (found != shelf_.end()) {
      shelf_.splice(shelf_.begin(), shelf_, found);
      return shelf_.front().second;
    }
  }
  Result<Shared> made = make();
  if (!made.ok()) return made;
  const std::lock_guard lock(mutex_);
  if (std::find_if(shelf_.begin(), shelf_.end(), is_it) == shelf_.end()) shelf_.emplace_front(key, *made);
  if (shelf_.size() > kMost) shelf_.pop_back();
  return made;
}

}  // namespace ink
