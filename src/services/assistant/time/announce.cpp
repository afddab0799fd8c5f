// See services/assistant/time/announce.h.
#include "services/assistant/time/announce.h"

#include "services/assistant/phrases.h"
#include "services/assistant/time/calendar.h"

namespace ink::assistant {

std::string announcement(const Fired& fired, int64_t now_ms) {
  Json slots = {{"time", time_of(fired.due_ms)}, {"day", spoken_day(date_of(fired.due_ms), date_of(now_ms))}};
  if (!fired.label.empty()) slots["label"] = fired.label;
  return say(Words{"fire." + fired.kind + (fired.missed ? ".missed" : ""), slots}, fired.voice);
}

}  // namespace ink::assistant
