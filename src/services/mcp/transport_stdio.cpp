// See services/mcp/transport_stdio.h.
#include "services/mcp/transport_stdio.h"

namespace ink::mcp {
namespace {

namespace problem = assistant::problem;

constexpr int kMostStrayLines = 1000;  // a program that only talks is no server

}  // namespace

Problem nothing_came(const Patience& patience) {
  if (patience.stop.stop_requested()) return {problem::kCancelled, "stopped"};
  return {problem::kTimedOut, "no answer in time"};
}

std::optional<Problem> StdioTransport::tell(const Json& message, const Patience& patience) {
  if (const Status said = child_->write_line(json_text(message), patience.deadline); !said.ok())
    return Problem{problem::kUnreachable, said.error().message()};
  return {};
}

std::optional<Problem> StdioTransport::ask(const Json& message, const Patience& patience, const Hear& hear) {
  if (auto failed = tell(message, patience)) return failed;
  int stray_lines = 0;
  while (true) {
    const auto line = child_->read_line(patience.deadline, patience.stop);
    if (!line.ok()) {
      const bool too_large = line.error().kind == ErrorKind::kTooLarge;
      return Problem{too_large ? problem::kGarbled : problem::kUnreachable, line.error().message()};
    }
    if (!line->has_value() && stray_lines == 0) return nothing_came(patience);
    if (!line->has_value()) return Problem{problem::kGarbled, "lines that are no messages"};
    const auto messages = parse_messages(**line, "message");
    if (!messages.ok()) {
      if (++stray_lines > kMostStrayLines) return Problem{problem::kGarbled, "lines that are no messages"};
      continue;
    }
    bool content = false;
    for (const Message& one : *messages) content = hear(one) || content;
    if (content) return {};
  }
}

}  // namespace ink::mcp
