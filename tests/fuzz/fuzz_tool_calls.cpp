// Arbitrary bytes as an assistant turn, in both dialects and in arbitrary pieces: the pieces must give the
// turn that the whole gives, the events must say what the turn says, every call must have an object of
// arguments that can be written as JSON, and without a call nothing may be dropped. Input: one byte for the
// format (bits 0-2) and the open thinking (bit 3), one for the cuts, then the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/tool_calls.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

const std::vector<ink::Json>& tools() {
  static const std::vector<ink::Json> kTools = {*ink::parse_json(
      R"({"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{
        "s":{"type":"string"},"i":{"type":"integer"},"n":{"type":"number"},"b":{"type":"boolean"},
        "z":{"type":["null","string"]},"o":{"type":"object"},"a":{"anyOf":[{"type":"array"},{"type":"null"}]}}}}})",
      "fuzz")};
  return kTools;
}

struct Heard {
  std::string reasoning;
  std::string content;
  std::vector<ink::ToolCall> calls;
};

void hear(Heard& heard, const std::vector<ink::TurnEvent>& events) {
  for (const ink::TurnEvent& event : events) {
    const bool is_call = event.kind == ink::TurnEvent::Kind::kToolCall;
    require(is_call == event.text.empty());
    if (event.kind == ink::TurnEvent::Kind::kReasoning) heard.reasoning += event.text;
    if (event.kind == ink::TurnEvent::Kind::kContent) heard.content += event.text;
    if (is_call) heard.calls.push_back(event.call);
  }
}

void require_equal(const std::vector<ink::ToolCall>& a, const std::vector<ink::ToolCall>& b) {
  require(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) require(a[i].name == b[i].name && a[i].arguments == b[i].arguments);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto format = static_cast<ink::ChatFormat>(data[0] & 7);
  const bool thinking = (data[0] & 8) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const ink::AssistantTurn whole = ink::parse_turn(format, text, tools(), thinking);

  ink::TurnParser parser(format, tools(), thinking);
  Heard heard;
  uint32_t random = data[1];
  for (size_t at = 0; at < text.size();) {
    random = random * 1664525u + 1013904223u;
    const size_t piece = data[1] == 0 ? 1 : 1 + (random >> 24) % data[1];
    hear(heard, parser.push(text.substr(at, piece)));
    at += piece;
  }
  hear(heard, parser.finish());

  require(heard.reasoning == parser.turn().reasoning && heard.reasoning == whole.reasoning);
  require(heard.content == parser.turn().content && heard.content == whole.content);
  require_equal(heard.calls, parser.turn().tool_calls);
  require_equal(heard.calls, whole.tool_calls);
  for (const ink::ToolCall& call : whole.tool_calls) {
    require(!call.name.empty() && call.arguments.is_object());
    require(
        ink::parse_json(call.arguments.dump(), "arguments").ok());  // dump() throws on bytes that are no text
  }
  if (whole.tool_calls.empty() && !thinking && !ink::chat_traits(format).can_think) {
    const size_t start = std::min(text.find_first_not_of('\n'), text.size());
    require(whole.content == text.substr(start) && whole.reasoning.empty());
  }
  return 0;
}
