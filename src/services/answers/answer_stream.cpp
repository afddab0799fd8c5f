// See services/answers/answer_stream.h.
#include "services/answers/answer_stream.h"

#include "services/answers/random_id.h"

namespace ink {
namespace {

TokenLogprob with_bytes(const Tokenizer* tokenizer, int32_t id, float logprob) {
  return {tokenizer == nullptr ? "" : std::string(tokenizer->token_bytes(id)), logprob};
}

bool only_newlines(std::string_view bytes) { return bytes.find_first_not_of('\n') == std::string_view::npos; }

}  // namespace

AnswerStream::AnswerStream(const ServedModel& model, const AnswerRequest& request, const AnswerPrompt& prompt,
                           const OnAnswerEvent& on_event)
    : tokenizer_(model.engine->tokenizer()),
      on_event_(on_event),
      parse_(prompt.parse),
      with_tokens_(request.sampling.logprobs >= 0),
      parser_(model.format, request.tools, prompt.starts_in_thinking),
      thinking_(prompt.starts_in_thinking) {
  // The parser knows what the client has written already, so that a continued sentence keeps its line breaks.
  if (parse_ && !prompt.prefill.empty()) parser_.push(prompt.prefill);
  if (tokenizer_ == nullptr) return;
  open_ = tokenizer_->find_added("<think>").value_or(-1);
  close_ = tokenizer_->find_added("</think>").value_or(-1);
}

bool AnswerStream::prompt_progress(int64_t done, int64_t total) {
  AnswerEvent event;
  event.kind = AnswerEvent::Kind::kPromptProgress;
  event.done = done;
  event.total = total;
  return on_event_(event);
}

void AnswerStream::count(int32_t id) {
  if (!parse_ || id < 0) return;
  if (id == open_) thinking_ = true;
  if (thinking_) ++reasoning_tokens_;
  if (id != close_) return;
  thinking_ = false;
  waiting_.clear();  // what is said of the thinking's tokens is not part of the answer's
}

bool AnswerStream::push(const GeneratedPiece& piece) {
  if (with_tokens_ && piece.sampled != nullptr && !thinking_) {
    AnsweredToken token{with_bytes(tokenizer_, piece.sampled->id, piece.sampled->logprob), {}};
    for (const TokenProbability& other : piece.sampled->top)
      token.top.push_back(with_bytes(tokenizer_, other.id, other.logprob));
    waiting_.push_back(std::move(token));
  }
  count(piece.id);
  if (piece.text.empty()) return true;
  return parse_ ? forward(parser_.push(piece.text)) : say_content(piece.text);
}

bool AnswerStream::finish() { return !parse_ || forward(parser_.finish()); }

bool AnswerStream::forward(std::vector<TurnEvent> events) {
  bool wanted = true;
  for (TurnEvent& piece : events) {
    if (piece.kind == TurnEvent::Kind::kContent) {
      wanted = say_content(std::move(piece.text)) && wanted;
      continue;
    }
    waiting_.clear();
    AnswerEvent event;
    if (piece.kind == TurnEvent::Kind::kReasoning) {
      event.kind = AnswerEvent::Kind::kReasoning;
      event.text = std::move(piece.text);
      so_far_.reasoning += event.text;
    } else {
      event.kind = AnswerEvent::Kind::kToolCall;
      event.call = std::move(piece.call);
      event.call_id = random_id("call_");
      event.call_index = static_cast<int>(so_far_.tool_calls.size());
      so_far_.tool_calls.push_back({event.call_id, event.call});
    }
    wanted = on_event_(event) && wanted;
  }
  return wanted;
}

// The line breaks in front of the first text were swallowed by the parser; so are their tokens.
std::vector<AnsweredToken> AnswerStream::take_tokens(std::string_view text) {
  std::vector<AnsweredToken> tokens = std::exchange(waiting_, {});
  if (!so_far_.content.empty() || text.starts_with('\n')) return tokens;
  size_t swallowed = 0;
  while (swallowed < tokens.size() && only_newlines(tokens[swallowed].token.bytes)) ++swallowed;
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(swallowed));
  return tokens;
}

bool AnswerStream::say_content(std::string text) {
  AnswerEvent event;
  event.tokens = take_tokens(text);
  so_far_.tokens.insert(so_far_.tokens.end(), event.tokens.begin(), event.tokens.end());
  so_far_.content += text;
  event.text = std::move(text);
  return on_event_(event);
}

void AnswerStream::move_into(FinishedAnswer& answer) {
  answer.reasoning = std::move(so_far_.reasoning);
  answer.content = std::move(so_far_.content);
  answer.tool_calls = std::move(so_far_.tool_calls);
  answer.tokens = std::move(so_far_.tokens);
}

}  // namespace ink
