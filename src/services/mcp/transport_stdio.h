// A server that runs on this device as our child: one message a line on its stdin and stdout. Lines that are
// no messages (a greeting, a log that went the wrong way) are passed over; when nothing else came in time,
// the answer is garbled and not late.
#pragma once

#include <memory>

#include "services/mcp/transport.h"
#include "services/process/child.h"

namespace ink::mcp {

inline constexpr int64_t kMostLineBytes = int64_t{8} << 20;

class StdioTransport final : public Transport {
 public:
  explicit StdioTransport(std::unique_ptr<Child> child) : child_(std::move(child)) {}

  std::optional<Problem> ask(const Json& message, const Patience& patience, const Hear& hear) override;
  std::optional<Problem> tell(const Json& message, const Patience& patience) override;
  void agree(const std::string&) override {}

 private:
  std::unique_ptr<Child> child_;
};

}  // namespace ink::mcp
