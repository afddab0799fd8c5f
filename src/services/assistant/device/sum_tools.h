// calculate, and convert_units for models that ask.
#pragma once

#include "services/assistant/catalogue.h"

namespace ink::assistant {

Tools sum_tools(const std::vector<Json>& catalogue);

}  // namespace ink::assistant
