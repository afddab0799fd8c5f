// Calls a tool so that the caller goes on in any case: a call that hangs is left behind at its deadline, one
// that throws or answers nonsense is a problem like another. A thread cannot be ended from outside, so a call
// that is left behind keeps its thread, its tool and its arguments until it ends by itself; the program must
// then leave with _exit (see calls_left_behind), or it would wait for it, or tear down what the thread still
// uses.
#pragma once

#include <memory>

#include "services/assistant/tool.h"

namespace ink::assistant {

// cancelled: whether the person pressed Ctrl-C; may be empty. Problems of its own: kTimedOut, kCancelled,
// kFailed (it threw).
Outcome call_tool(std::shared_ptr<Tool> tool, Json arguments, CallContext context,
                  const std::function<bool()>& cancelled);

// How many calls were left behind and have not ended since.
int calls_left_behind();

}  // namespace ink::assistant
