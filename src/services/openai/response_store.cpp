// See services/openai/response_store.h.
#include "services/openai/response_store.h"

#include <algorithm>

#include "services/wire/writer.h"

namespace ink::openai {
namespace {

// About what it holds of memory; what a string or a node costs beside its text is counted flat.
size_t bytes_of(const StoredResponse& stored) {
  constexpr size_t kFlat = 200;
  size_t bytes = 2 * json_text(stored.response).size() + kFlat;
  for (const ChatMessage& message : stored.conversation) {
    bytes += kFlat;
    if (const auto* text = std::get_if<std::string>(&message.content)) bytes += text->size();
    if (message.reasoning) bytes += message.reasoning->size();
    for (const ToolCall& call : message.tool_calls) bytes += kFlat + 2 * json_text(call.arguments).size();
  }
  return bytes;
}

}  // namespace

void ResponseStore::keep(StoredResponse stored) {
  Entry entry{stored.response.value("id", ""), std::move(stored), 0};
  entry.bytes = bytes_of(entry.stored);
  if (entry.id.empty() || entry.bytes > most_bytes_) return;
  const std::lock_guard lock(mutex_);
  bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  while (bytes_ > most_bytes_ || entries_.size() > most_) {
    bytes_ -= entries_.back().bytes;
    entries_.pop_back();
  }
}

std::optional<StoredResponse> ResponseStore::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.id == id) return entry.stored;
  }
  return std::nullopt;
}

bool ResponseStore::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.id == id; });
  if (found == entries_.end()) return false;
  bytes_ -= found->bytes;
  entries_.erase(found);
  return true;
}

}  // namespace ink::openai
