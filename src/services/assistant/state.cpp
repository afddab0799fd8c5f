// See services/assistant/state.h.
#include "services/assistant/state.h"

namespace ink::assistant {

Result<std::shared_ptr<Database>> State::database() {
  const std::lock_guard lock(mutex_);
  if (database_ == nullptr) {
    auto opened = Database::open(folder_.empty() ? folder_ : folder_ / "assistant.db");
    if (!opened.ok()) return opened.error();
    database_ = std::move(*opened);
  }
  return database_;
}

bool State::begun() const {
  std::error_code error;
  return !folder_.empty() && std::filesystem::exists(folder_ / "assistant.db", error);
}

Result<std::shared_ptr<Schedule>> State::schedule() {
  const auto opened = database();
  if (!opened.ok()) return opened.error();
  return std::make_shared<Schedule>(*opened, clock_);
}

}  // namespace ink::assistant
