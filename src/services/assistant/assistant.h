// The loop: words -> calls -> check -> do -> say. It trusts neither the words nor the model nor the tools:
// words are checked before a model sees them, calls are checked before they are done, what can harm waits for
// a yes (policy.h), a tool that fails or hangs is said and the other calls of the sentence are still done, in
// order. Nothing is printed here; what is said comes back as text in the person's language.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/assistant/language.h"
#include "services/assistant/proposer.h"
#include "services/assistant/registry.h"

namespace ink::assistant {

inline constexpr size_t kMostRequestCharacters = 10000;

struct CallReport {
  ToolCall call;
  Outcome outcome;
  std::string said;  // about this call alone
};

// What a request is before any model sees it.
enum class RequestFault { kNone, kEmpty, kTooLong, kNotText };
RequestFault check_request(const std::string& text);

struct Reply {
  Voice voice;
  // Not kNone: no model was asked, or (kTooLong) it does not fit the model.
  RequestFault fault = RequestFault::kNone;
  std::vector<CallReport> calls;  // in order
  std::string said;               // everything, as one short text
  bool declined = false;          // no call was proposed: `said` is the model's own sentence or ours
  bool all_done() const;          // every call that was proposed was done
};

struct AssistantOptions {
  bool yes = false;      // --yes
  bool dry_run = false;  // calls are checked and not done
  // Asks the person at the terminal; empty when nobody can be asked.
  std::function<bool(const std::string& question)> confirm;
  std::function<bool()> cancelled;              // Ctrl-C
  std::function<void(const std::string&)> log;  // -v: names of tools and problems, never words of the person
};

// The answer to a request that no model has to see: empty, over the cap, no text.
std::optional<Reply> refused(const std::string& text);

class Assistant {
 public:
  // All are alive as long as the assistant. `larger` (may be null) is asked when `first` proposes no call.
  Assistant(const Registry& registry, Proposer& first, Proposer* larger, AssistantOptions options);

  // One request and everything that follows from it. Errors: kCancelled, and faults of the model; a request
  // that cannot be answered is a Reply that says so.
  Result<Reply> ask(const std::string& text);

  // What a proposer that converses has been told and has answered; grows with every request. May be exchanged
  // for another conversation or cleared between requests.
  std::vector<ChatMessage>& conversation() { return conversation_; }

 private:
  Result<Reply> ask_one(Proposer& proposer, const std::string& text, const Voice& voice);
  struct Turn;
  bool take(Turn& turn, Proposal proposal);  // whether the model goes on with the results
  CallReport do_call(const ToolCall& call, const Turn& turn, bool after_tool_text);
  Outcome act(const ToolCall& call, const Turn& turn, bool after_tool_text);
  void log(const std::string& line) const;

  const Registry& registry_;
  Proposer& first_;
  Proposer* larger_;
  AssistantOptions options_;
  std::vector<ChatMessage> conversation_;
};

}  // namespace ink::assistant
