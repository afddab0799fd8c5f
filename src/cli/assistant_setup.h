// What `ask` and `chat` need to act: models as proposers, the tools of this device, and how a person at the
// terminal is asked. Loading is done once; a batch of requests or a whole chat uses it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/conversation.h"
#include "services/assistant/assistant.h"
#include "services/assistant/state.h"

namespace ink::cli {

struct AssistantFlags {
  ModelFlags model;
  bool cascade = false;    // the pocket model first, -m's model when it declines
  bool must_call = false;  // for measuring: every answer is a call
  bool plain = false;      // -m's model knows the catalogue: no tool list in its prompt
  bool yes = false;
  bool dry_run = false;
  bool verbose = false;
};
void add_assistant_flags(Command& command, AssistantFlags& flags);

// The tools of this device, of its home and of whatever is connected; what is left of the catalogue is
// declared and answers that it is not connected.
Status add_tools(assistant::Registry& registry, const std::shared_ptr<assistant::State>& state);

// What the assistant keeps on this device, by the system's clock.
std::shared_ptr<assistant::State> assistant_state();

// A model with everything that proposes calls from it. Movable; the proposer points into the heap only.
struct ProposingModel {
  LoadedModel model;
  std::unique_ptr<assistant::Proposer> proposer;
};
// What proposes calls from a loaded model, which outlives it. Of the flags, `plain` and `must_call` count.
Result<std::unique_ptr<assistant::Proposer>> proposer_for(LoadedModel& model, const AssistantFlags& flags,
                                                          const assistant::Registry& registry);

// complete: called between loading a model that has to be told its tools and telling it; may add to the
// registry.
Result<ProposingModel> load_proposer(const ModelFlags& model, const AssistantFlags& flags,
                                     const assistant::Registry& registry,
                                     const std::function<void()>& complete = {});

// Whether it is the model that the program carries, or another build of it.
bool is_pocket_model(const Checkpoint& checkpoint);

// yes or no, typed at the terminal; anything else is a no. Empty when stdin or stderr is no terminal.
std::function<bool(const std::string&)> confirmation_at_terminal();

assistant::AssistantOptions assistant_options(const AssistantFlags& flags);

}  // namespace ink::cli
