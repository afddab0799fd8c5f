// The part of a conversation that acts: what a message asks for is done, with the tools of this device, and
// said. For `chat`; `ask` is one such turn.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/assistant_setup.h"
#include "cli/watching.h"

namespace ink::cli {

class Actor {
 public:
  // Uses the model's session. Errors: as make_proposer; the registry's.
  static Result<std::unique_ptr<Actor>> create(LoadedModel& model);

  // Does what `text` asks for, shows calls and sentence, and adds both to the conversation. Gives the exit
  // code.
  int take(const std::string& text, std::vector<ChatMessage>& conversation);

 private:
  explicit Actor(std::shared_ptr<assistant::State> state) : state_(std::move(state)), watch_(state_) {}
  std::shared_ptr<assistant::State> state_;
  assistant::Registry registry_;
  std::unique_ptr<assistant::Proposer> proposer_;
  std::unique_ptr<assistant::Assistant> assistant_;
  BackgroundWatch watch_;  // timers fire while the conversation is open
};

// Exit code of an answer: a request that is no request has the code of its fault, and 1 tells that something
// that was asked for was not done.
int reply_code(const assistant::Reply& reply);

}  // namespace ink::cli
