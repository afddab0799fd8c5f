// open_app, and open_file for models that ask.
#pragma once

#include "services/assistant/catalogue.h"

namespace ink::assistant {

Tools desktop_tools(const std::vector<Json>& catalogue);

}  // namespace ink::assistant
