// See services/assistant/policy.h.
#include "services/assistant/policy.h"

namespace ink::assistant {

Decision decide(const Circumstances& circumstances) {
  if (circumstances.risk == Risk::kHarmless) return Decision::kDo;
  if (circumstances.yes_in_advance && !circumstances.after_tool_text) return Decision::kDo;
  return circumstances.person_at_terminal ? Decision::kAsk : Decision::kLeave;
}

}  // namespace ink::assistant
