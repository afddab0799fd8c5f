// How messages travel to one server and back: by the pipes of a child process or by HTTP. One request is
// asked at a time; what else the server says meanwhile is heard as well.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "services/assistant/tool.h"
#include "services/mcp/json_rpc.h"

namespace ink::mcp {

using assistant::Problem;

// Problems that are the client's to deal with, never the person's.
inline constexpr const char* kSessionExpired = "session_expired";

struct Patience {
  std::chrono::steady_clock::time_point deadline;
  std::stop_token stop;
};

// True: this was what was waited for.
using Hear = std::function<bool(const Message&)>;

class Transport {
 public:
  virtual ~Transport() = default;

  // Says a request and hears until `hear` is content. Problems: kTimedOut, kCancelled, kUnreachable (nobody
  // there, or gone), kUnauthorized, kGarbled, kFailed, kSessionExpired. `hear` may call tell().
  virtual std::optional<Problem> ask(const Json& message, const Patience& patience, const Hear& hear) = 0;

  // Says a notification or an answer.
  virtual std::optional<Problem> tell(const Json& message, const Patience& patience) = 0;

  // What was agreed on at the beginning.
  virtual void agree(const std::string& protocol_version) = 0;
};

// Why waiting ended with nothing.
Problem nothing_came(const Patience& patience);

}  // namespace ink::mcp
