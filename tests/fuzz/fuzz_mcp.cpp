// What an MCP server says, from any bytes: a stream of events gives the same events in whatever pieces it
// comes, and every message is refused or sorted, and then can be answered, listed and shown. Input: one byte
// for the cuts, then the text, which is read both as a stream of events and as a message.
#include <cstdint>
#include <cstdlib>

#include "base/json.h"
#include "base/utf8.h"
#include "services/mcp/client.h"
#include "services/mcp/event_stream.h"
#include "services/mcp/tools.h"

namespace {

using namespace ink;

constexpr size_t kMostBytes = 4096;  // of an event; small, so that the limit is met

void require(bool condition) {
  if (!condition) std::abort();
}

struct Heard {
  std::vector<mcp::Event> events;
  bool refused = false;

  bool operator==(const Heard&) const = default;
};

Heard hear(std::string_view text, size_t most_piece, uint32_t random) {
  mcp::EventStream stream(kMostBytes);
  Heard heard;
  while (!text.empty() && !heard.refused) {
    random = random * 1664525u + 1013904223u;
    const size_t piece = std::min(text.size(), 1 + (random >> 24) % most_piece);
    const auto events = stream.feed(text.substr(0, piece));
    heard.refused = !events.ok();
    if (events.ok()) heard.events.insert(heard.events.end(), events->begin(), events->end());
    text.remove_prefix(piece);
  }
  return heard;
}

void list_and_show(const Json& body) {
  const mcp::Answer answer = mcp::parse_answer(body);
  const Json shown = mcp::foreign_text("server", answer.text);
  require(!find_invalid_utf8(shown["text"].get<std::string>()));
  if (!body.is_object() || !body.contains("tools") || !body["tools"].is_array()) return;
  std::vector<mcp::ToolInfo> infos;
  for (const Json& tool : body["tools"]) {
    if (auto info = mcp::parse_tool(tool)) infos.push_back(std::move(*info));
  }
  const mcp::NamedTools named = mcp::named_tools(nullptr, "server", true, infos);
  require(named.tools.size() + named.left_out.size() == infos.size());
  for (const auto& tool : named.tools) {
    const auto name = tool->declaration()["function"]["name"].get<std::string>();
    require(name.starts_with("server_") && name.size() <= 64);
    require(!find_invalid_utf8(json_text(tool->declaration())));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const Heard in_bytes = hear(text, 1, 0);
  const Heard in_pieces = hear(text, size_t{1} + data[0], data[0]);
  require(in_pieces.refused || !in_bytes.refused);  // a piece is refused as a whole
  if (!in_pieces.refused) require(in_bytes == in_pieces);

  const auto messages = mcp::parse_messages(text, "server");
  if (!messages.ok()) {
    require(messages.error().message().size() > 10);
    return 0;
  }
  for (const mcp::Message& message : *messages) {
    const bool is_answer =
        message.kind == mcp::MessageKind::kResult || message.kind == mcp::MessageKind::kError;
    require(is_answer || !message.answers(1));
    if (message.kind != mcp::MessageKind::kResult) require(message.body.is_object());
    require(!find_invalid_utf8(json_text(mcp::method_not_found(message.id, message.method))));
    list_and_show(message.body);
  }
  return 0;
}
