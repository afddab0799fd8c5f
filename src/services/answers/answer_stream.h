// Turns the pieces of a generation into events: tells thinking, text and calls apart, gives calls their ids,
// and keeps each token's log probability with the text it belongs to.
#pragma once

#include <string>
#include <vector>

#include "services/answers/answer.h"
#include "services/answers/prompt.h"

namespace ink {

class AnswerStream {
 public:
  AnswerStream(const ServedModel& model, const AnswerRequest& request, const AnswerPrompt& prompt,
               const OnAnswerEvent& on_event);

  bool prompt_progress(int64_t done, int64_t total);
  // False: the listener has had enough.
  bool push(const GeneratedPiece& piece);
  bool finish();

  // What came, into an answer: reasoning, content, calls, tokens.
  void move_into(FinishedAnswer& answer);
  int64_t reasoning_tokens() const { return reasoning_tokens_; }

 private:
  void count(int32_t id);
  bool forward(std::vector<TurnEvent> events);
  bool say_content(std::string text);
  std::vector<AnsweredToken> take_tokens(std::string_view text);

  const Tokenizer* tokenizer_;
  const OnAnswerEvent& on_event_;
  bool parse_;
  bool with_tokens_;
  TurnParser parser_;
  std::vector<AnsweredToken> waiting_;  // drawn, with no event yet
  FinishedAnswer so_far_;
  bool thinking_;
  int32_t open_ = -1;
  int32_t close_ = -1;
  int64_t reasoning_tokens_ = 0;
};

}  // namespace ink
