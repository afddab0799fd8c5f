// set_timer, cancel_timer, set_alarm, cancel_alarm, create_reminder, query_calendar, create_event, and
// get_date_time for models that ask.
#pragma once

#include "services/assistant/catalogue.h"
#include "services/assistant/state.h"

namespace ink::assistant {

Tools time_tools(const std::vector<Json>& catalogue, const std::shared_ptr<State>& state);

}  // namespace ink::assistant
