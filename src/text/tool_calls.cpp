// See text/tool_calls.h. Text is taken from the front of pending_ as soon as its meaning is certain; a text
// that turns out not to be a call is given back up to its tag, and what follows is read anew.
#include "text/tool_calls.h"

#include <algorithm>

#include "base/utf8.h"

namespace ink {
namespace {

constexpr std::string_view kThinkOpen = "<think>";
constexpr std::string_view kThinkClose = "</think>";

// How many bytes at the end of `text` may be the beginning of `tag`.
size_t unfinished_tag(std::string_view text, std::string_view tag) {
  for (size_t size = std::min(text.size(), tag.size() - 1); size > 0; --size) {
    if (text.ends_with(tag.substr(0, size))) return size;
  }
  return 0;
}

}  // namespace

TurnParser::TurnParser(ChatFormat format, std::vector<Json> tools, bool starts_in_thinking)
    : format_(format),
      tools_(std::move(tools)),
      state_(starts_in_thinking ? State::kThinking : State::kContent),
      think_may_open_(chat_traits(format).can_think || starts_in_thinking) {}

CallScanner TurnParser::new_scanner() const {
  if (chat_traits(format_).xml_tools) return XmlScanner();
  return HermesScanner();
}

std::vector<TurnEvent> TurnParser::push(std::string_view text) {
  pending_ += text;
  return run(false);
}

std::vector<TurnEvent> TurnParser::finish() {
  Events events = run(true);
  if (held_newlines_ > 0 && !call_since_text_) {
    const bool thinking = state_ == State::kThinking;
    std::string& text = thinking ? turn_.reasoning : turn_.content;
    if (!text.empty()) {
      const std::string newlines(held_newlines_, '\n');
      text += newlines;
      events.push_back({thinking ? TurnEvent::Kind::kReasoning : TurnEvent::Kind::kContent, newlines, {}});
    }
  }
  held_newlines_ = 0;
  return events;
}

std::vector<TurnEvent> TurnParser::run(bool at_end) {
  Events events;
  for (bool goes_on = true; goes_on;) {
    switch (state_) {
      case State::kThinking:
        goes_on = step_thinking(at_end, events);
        break;
      case State::kContent:
        goes_on = step_content(at_end, events);
        break;
      case State::kToolCall:
        goes_on = step_tool_call(at_end, events);
        break;
    }
  }
  pending_.erase(0, taken_);
  taken_ = 0;
  return events;
}

// Takes the newlines at the start of the turn, and <think> when it follows. `undecided`: more text is needed
// to tell.
bool TurnParser::find_opening_think(bool at_end, bool& undecided) {
  undecided = false;
  if (!think_may_open_) return false;
  taken_ += std::min(rest().find_first_not_of('\n'), rest().size());
  const std::string_view found = rest().substr(0, kThinkOpen.size());
  undecided = !at_end && found.size() < kThinkOpen.size() && kThinkOpen.starts_with(found);
  if (undecided) return false;
  think_may_open_ = false;
  if (found != kThinkOpen) return false;
  taken_ += kThinkOpen.size();
  return true;
}

bool TurnParser::step_thinking(bool at_end, Events& events) {
  // The model may repeat the <think> that the prompt ends with.
  bool undecided = false;
  find_opening_think(at_end, undecided);
  if (undecided) return false;
  const size_t close = rest().find(kThinkClose);
  if (close == std::string_view::npos) {
    emit_until_tag(TurnEvent::Kind::kReasoning, kThinkClose, at_end, events);
    return false;
  }
  emit(TurnEvent::Kind::kReasoning, rest().substr(0, close), events);
  taken_ += close + kThinkClose.size();
  held_newlines_ = 0;
  state_ = State::kContent;
  return true;
}

bool TurnParser::step_content(bool at_end, Events& events) {
  bool undecided = false;
  if (find_opening_think(at_end, undecided)) {
    state_ = State::kThinking;
    return true;
  }
  if (undecided) return false;
  const size_t open = rest().find(kToolCallOpen);
  if (open == std::string_view::npos) {
    emit_until_tag(TurnEvent::Kind::kContent, kToolCallOpen, at_end, events);
    return false;
  }
  emit(TurnEvent::Kind::kContent, rest().substr(0, open), events);
  taken_ += open;
  state_ = State::kToolCall;
  scanner_ = new_scanner();
  return true;
}

bool TurnParser::step_tool_call(bool at_end, Events& events) {
  const std::string_view body = rest().substr(kToolCallOpen.size());
  ScanResult result;
  if (auto* hermes = std::get_if<HermesScanner>(&scanner_)) result = hermes->scan(body);
  if (auto* xml = std::get_if<XmlScanner>(&scanner_)) result = xml->scan(body, at_end, tools_);
  if (result.kind == ScanResult::Kind::kMore) {
    if (!at_end) return false;
    result = {ScanResult::Kind::kText, body.size(), {}};
  }
  const size_t size = kToolCallOpen.size() + result.size;
  if (result.kind == ScanResult::Kind::kText) {
    emit(TurnEvent::Kind::kContent, rest().substr(0, size), events);
  } else {
    call_since_text_ = true;
    turn_.tool_calls.push_back(result.call);
    events.push_back({TurnEvent::Kind::kToolCall, "", std::move(result.call)});
  }
  taken_ += size;
  state_ = State::kContent;
  return true;
}

// Emits all but what may become `tag`, or the rest of a character, with the next piece.
void TurnParser::emit_until_tag(TurnEvent::Kind kind, std::string_view tag, bool at_end, Events& events) {
  std::string_view text = rest();
  if (!at_end) {
    text.remove_suffix(unfinished_tag(text, tag));
    text = text.substr(0, whole_characters(text));
  }
  emit(kind, text, events);
  taken_ += text.size();
}

void TurnParser::emit(TurnEvent::Kind kind, std::string_view text, Events& events) {
  const bool thinking = kind == TurnEvent::Kind::kReasoning;
  std::string& whole = thinking ? turn_.reasoning : turn_.content;
  const size_t last = text.find_last_not_of('\n');
  if (last == std::string_view::npos) {
    held_newlines_ += text.size();
    return;
  }
  const size_t first = whole.empty() ? text.find_first_not_of('\n') : 0;
  std::string piece(whole.empty() ? 0 : held_newlines_, '\n');
  piece += text.substr(first, last + 1 - first);
  held_newlines_ = text.size() - last - 1;
  call_since_text_ = false;
  whole += piece;
  if (!events.empty() && events.back().kind == kind) {
    events.back().text += piece;
  } else {
    events.push_back({kind, std::move(piece), {}});
  }
}

AssistantTurn parse_turn(ChatFormat format, std::string_view text, const std::vector<Json>& tools,
                         bool starts_in_thinking) {
  TurnParser parser(format, tools, starts_in_thinking);
  parser.push(text);
  parser.finish();
  return parser.turn();
}

}  // namespace ink
