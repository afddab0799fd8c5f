// Bytes as the body of a request to every dialect: no crash, and what is refused says which field. Where a
// request is accepted, its answer is written, whole and as a stream, from the request's own texts: whatever a
// client says, what goes out is one event or line after the other, and JSON.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "services/anthropic/messages.h"
#include "services/ollama/chat.h"
#include "services/ollama/models.h"
#include "services/openai/chat.h"
#include "services/openai/completions.h"
#include "services/openai/parts.h"
#include "services/openai/responses.h"
#include "services/openai/retrieval.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

const ink::wire::Moment kMoment{"fuzz", 0};

template <typename T>
void require_named(const ink::Result<T>& read) {
  if (!read.ok()) require(!read.error().where.empty() && !read.error().message().empty());
}

// An answer that says what the client said.
ink::FinishedAnswer echo_of(const ink::AnswerRequest& request) {
  ink::FinishedAnswer answer;
  answer.model = request.model;
  for (const ink::ChatMessage& message : request.messages) {
    if (const auto* text = std::get_if<std::string>(&message.content)) answer.content += *text;
    if (message.reasoning) answer.reasoning += *message.reasoning;
    for (const ink::ToolCall& call : message.tool_calls) answer.tool_calls.push_back({"call_x", call});
  }
  for (const std::string& stop : request.stop) answer.stop_string = stop;
  answer.tokens.push_back({{"\xff", 0}, {}});
  return answer;
}

void require_framed(const std::string& stream) {
  size_t at = 0;
  while (at < stream.size()) {
    const size_t end = stream.find('\n', at);
    require(end != std::string::npos);
    std::string_view line = std::string_view(stream).substr(at, end - at);
    at = end + 1;
    if (line.starts_with("data: ")) line.remove_prefix(6);
    if (line.empty() || line == "[DONE]" || line.starts_with("event: ") || line.starts_with(": ")) continue;
    require(!ink::find_invalid_utf8(line) && ink::Json::accept(line));
  }
}

void write_answer(ink::wire::Asked& asked) {
  const ink::FinishedAnswer answer = echo_of(asked.requests.front());
  const std::vector<ink::FinishedAnswer> answers(asked.requests.size() * static_cast<size_t>(asked.choices),
                                                 answer);
  ink::AnswerEvent content, call;
  content.text = answer.content;
  content.tokens = answer.tokens;
  call.kind = ink::AnswerEvent::Kind::kToolCall;
  if (!answer.tool_calls.empty()) call.call = answer.tool_calls.front().call;
  ink::wire::AnswerWriter& writer = *asked.writer;
  std::string stream = writer.start(answer.model, 1);
  stream += writer.event(0, content);
  stream += writer.event(0, call);
  stream += writer.ping();
  stream += writer.finish_choice(0, answer);
  stream += writer.end(answers);
  require_framed(stream);
}

void try_openai(const ink::Json& body) {
  static ink::openai::ResponseStore store(1 << 16, 8);
  auto chat = ink::openai::parse_chat(body, kMoment);
  require_named(chat);
  if (chat.ok()) {
    require(ink::Json::accept(ink::json_text(chat->writer->reply({echo_of(chat->requests.front())}))));
    write_answer(*chat);
  }
  auto completion = ink::openai::parse_completion(body, kMoment);
  require_named(completion);
  if (completion.ok()) write_answer(*completion);
  auto response = ink::openai::parse_response(body, kMoment, &store);
  require_named(response);
  if (response.ok()) write_answer(*response);
  require_named(ink::openai::parse_embedding(body));
  require_named(ink::openai::parse_rerank(body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto body = ink::parse_json({reinterpret_cast<const char*>(data), size}, "body");
  if (!body.ok()) return 0;
  try_openai(*body);
  auto message = ink::anthropic::parse_messages_request(*body, kMoment);
  require_named(message);
  if (message.ok()) write_answer(*message);
  for (const auto parse : {ink::ollama::parse_chat, ink::ollama::parse_generate}) {
    auto asked = parse(*body, kMoment);
    require_named(asked);
    if (asked.ok()) write_answer(asked->asked);
  }
  require_named(ink::ollama::parse_embed(*body));
  require_named(ink::ollama::parse_show(*body));
  return 0;
}
