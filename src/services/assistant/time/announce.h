// What is said when a timer, an alarm or a reminder fires, in the language of the person who asked for it.
#pragma once

#include <string>

#include "services/assistant/time/schedule.h"

namespace ink::assistant {

std::string announcement(const Fired& fired, int64_t now_ms);

}  // namespace ink::assistant
