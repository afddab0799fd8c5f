// add_note and search_memory: what a person wants kept, found again among notes, reminders and events.
#pragma once

#include "services/assistant/catalogue.h"
#include "services/assistant/state.h"

namespace ink::assistant {

Tools memory_tools(const std::vector<Json>& catalogue, const std::shared_ptr<State>& state);

}  // namespace ink::assistant
