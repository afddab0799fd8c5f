// Whether a call is done, asked about, or left undone: the one place that decides it. What can harm needs a
// yes.
// --yes gives it in advance, but only for what follows from the person's own words: once text from a tool is
// part of the conversation, the words that lead to a call may be that text's, so then the person has to say
// yes at the terminal, to this very call. Easy to get wrong: silence, a closed terminal or an unreadable
// answer is a no.
#pragma once

#include "services/assistant/tool.h"

namespace ink::assistant {

struct Circumstances {
  Risk risk = Risk::kHarmless;
  bool after_tool_text = false;  // text from a tool came into the conversation before the call was proposed
  bool yes_in_advance = false;   // --yes
  bool person_at_terminal = false;  // somebody who can be asked
};

enum class Decision { kDo, kAsk, kLeave };

Decision decide(const Circumstances& circumstances);

}  // namespace ink::assistant
