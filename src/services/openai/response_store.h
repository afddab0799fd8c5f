// Past responses, for previous_response_id and for looking them up: in memory, the newest ones up to a number
// of bytes, gone with the server. Nothing of a conversation is ever written to disk here.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/chat.h"

namespace ink::openai {

struct StoredResponse {
  Json response;                          // as it was sent
  std::vector<ChatMessage> conversation;  // all that was said, its answer included; without instructions
};

class ResponseStore {
 public:
  explicit ResponseStore(size_t most_bytes = size_t{64} << 20, size_t most = 1000)
      : most_bytes_(most_bytes), most_(most) {}
  // The oldest make room; what is larger than the whole store is not kept.
  void keep(StoredResponse stored);
  std::optional<StoredResponse> find(const std::string& id) const;
  bool forget(const std::string& id);

 private:
  struct Entry {
    std::string id;
    StoredResponse stored;
    size_t bytes = 0;
  };
  const size_t most_bytes_;
  const size_t most_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the newest first
  size_t bytes_ = 0;
};

}  // namespace ink::openai
