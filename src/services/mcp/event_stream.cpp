// See services/mcp/event_stream.h.
#include "services/mcp/event_stream.h"

#include <utility>

namespace ink::mcp {

Result<std::vector<Event>> EventStream::feed(std::string_view piece) {
  std::vector<Event> events;
  while (!piece.empty()) {
    if (std::exchange(after_return_, false) && piece.front() == '\n') {
      piece.remove_prefix(1);
      continue;
    }
    const size_t end = piece.find_first_of("\r\n");
    line_.append(piece.substr(0, end));
    if (line_.size() + event_.data.size() > most_bytes_)
      return Error{ErrorKind::kTooLarge, "event stream", "", "an event without an end", ""};
    if (end == std::string_view::npos) break;
    after_return_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    std::string_view line = line_;
    if (std::exchange(at_start_, false) && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    take_line(line, events);
    line_.clear();
  }
  return events;
}

void EventStream::take_line(std::string_view line, std::vector<Event>& events) {
  if (line.empty()) {
    if (event_.name.empty()) event_.name = "message";
    const std::string id = event_.id;  // stays the last one until another comes
    if (std::exchange(has_data_, false)) events.push_back(std::exchange(event_, {}));
    event_ = {};
    event_.id = id;
    return;
  }
  const size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    if (std::exchange(has_data_, true)) event_.data += '\n';
    event_.data.append(value);
  } else if (field == "event") {
    event_.name = value;
  } else if (field == "id" && value.find('\0') == std::string_view::npos) {
    event_.id = value;
  }  // a line that begins with a colon is a comment; other fields are ignored
}

}  // namespace ink::mcp
