// Who turns words into calls: a language model, or in tests a list. The assistant checks whatever it
// proposes, so nothing here needs to be trusted. The model of a proposer may be trained for the catalogue
// (the pocket model: it gets the bare sentence, as it was trained) or know tools in general (any Qwen3: the
// declarations go into its prompt, and the results of calls come back to it).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/session.h"
#include "text/chat.h"

namespace ink::assistant {

struct Proposal {
  std::string reply;  // what it says, without thinking; beside no calls this is the whole answer
  std::vector<ToolCall> calls;
  double prompt_seconds = 0;  // until it could begin
  double answer_seconds = 0;
};

class Proposer {
 public:
  virtual ~Proposer() = default;
  // The turn that follows the conversation. cancelled: whether the person pressed Ctrl-C. Errors: kTooLarge
  // when the conversation does not fit the model's context, kCancelled, kInvalid.
  virtual Result<Proposal> propose(std::span<const ChatMessage> conversation,
                                   const std::function<bool()>& cancelled) = 0;
  // Whether results of calls may be given back to it and what was said before matters.
  virtual bool converses() const = 0;
};

struct ProposerOptions {
  std::vector<Json> tools;        // what may be called
  bool must_call = false;         // no turn is a reply; for measuring the constraint
  bool knows_tools = false;       // trained for them: they stay out of its prompt
  int64_t max_tokens = 768;       // of one turn
  int64_t max_reply_tokens = 96;  // of a turn without calls: a sentence or two
  GenerationOptions generation;   // sampling and stop tokens, from the model's own defaults
};

// Every turn is held to the grammar of the tools while it is generated (runtime/constraint.h), except for
// models that write calls in XML: those are only checked afterwards. engine and session, of a scheduler of
// that engine, are alive as long as the proposer. Errors: kInvalid or kTooLarge when the tools make no
// grammar.
Result<std::unique_ptr<Proposer>> make_proposer(const Engine& engine, Session& session, ChatFormat format,
                                                ProposerOptions options);

}  // namespace ink::assistant
