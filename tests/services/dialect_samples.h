// What the tests of the dialects share: requests from JSON text, answers made by hand, streams taken apart.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "services/wire/writer.h"

namespace ink::testing {

inline Json wire_json(std::string_view text) {
  auto value = parse_json(text, "test");
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : Json();
}

inline const wire::Moment kMoment{"abc123", 1764312000};

inline FinishedAnswer text_answer(const std::string& content) {
  FinishedAnswer answer;
  answer.model = "tiny";
  answer.content = content;
  answer.usage.prompt_tokens = 10;
  answer.usage.cached_tokens = 4;
  answer.usage.completion_tokens = 3;
  answer.usage.reasoning_tokens = 1;
  return answer;
}

// With itself as the only alternative.
inline AnsweredToken answered_token(const std::string& bytes, float logprob) {
  AnsweredToken token;
  token.token = {bytes, logprob};
  token.top.push_back(token.token);
  return token;
}

inline AnsweredCall light_call() {
  return {"call_xyz", {"set_light", Json{{"room", "客厅"}, {"level", 3}}, true}};
}

inline AnswerEvent event_of(AnswerEvent::Kind kind, const std::string& text) {
  AnswerEvent event;
  event.kind = kind;
  event.text = text;
  return event;
}
inline AnswerEvent call_event(const AnsweredCall& one, int index) {
  AnswerEvent event;
  event.kind = AnswerEvent::Kind::kToolCall;
  event.call = one.call;
  event.call_id = one.id;
  event.call_index = index;
  return event;
}

// The data of server-sent events; "[DONE]" as a text. Comments are left out, and every event: line has to
// name the type of its data.
inline std::vector<Json> events_in(const std::string& stream) {
  std::vector<Json> events;
  size_t at = 0;
  std::string type;
  while (at < stream.size()) {
    const size_t end = std::min(stream.find('\n', at), stream.size());
    const std::string line = stream.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("event: ")) type = line.substr(7);
    if (!line.starts_with("data: ")) continue;
    const std::string data = line.substr(6);
    events.push_back(data == "[DONE]" ? Json(data) : wire_json(data));
    if (!type.empty()) {
      EXPECT_EQ(events.back().value("type", ""), type);
    }
    type.clear();
  }
  EXPECT_TRUE(stream.empty() || stream.ends_with("\n\n")) << "each event ends with an empty line";
  return events;
}

inline std::vector<Json> lines_in(const std::string& stream) {
  std::vector<Json> lines;
  for (size_t at = 0; at < stream.size();) {
    const size_t end = std::min(stream.find('\n', at), stream.size());
    lines.push_back(wire_json(stream.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

// A mistake in a request: its field, and words that its message has to have.
struct RefusedRequest {
  const char* body;
  const char* param;
  const char* words;
};

}  // namespace ink::testing
