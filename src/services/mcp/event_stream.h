// Server-sent events (html.spec.whatwg.org, "Server-sent events"), fed in pieces that may end anywhere: in a
// line, between the two bytes of a line break, in the byte order mark. Lines end with CR, LF or CRLF; an
// event ends with an empty line, and one that the stream's end cuts off is dropped, as the standard says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ink::mcp {

struct Event {
  std::string name = "message";
  std::string data;  // its lines with a line feed between
  std::string id;

  bool operator==(const Event&) const = default;
};

class EventStream {
 public:
  explicit EventStream(size_t most_bytes) : most_bytes_(most_bytes) {}

  // The events that this piece completes. Errors: kTooLarge for a line or an event over the limit.
  Result<std::vector<Event>> feed(std::string_view piece);

 private:
  void take_line(std::string_view line, std::vector<Event>& events);

  size_t most_bytes_;
  std::string line_;  // not yet ended
  Event event_;       // not yet ended
  bool has_data_ = false;
  bool after_return_ = false;  // a line feed that comes now belongs to the line break before
  bool at_start_ = true;
};

}  // namespace ink::mcp
