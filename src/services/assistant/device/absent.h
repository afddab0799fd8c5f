// Tools of the catalogue that this device has nothing for: a camera, a phone line, a car without its maker's
// key. They stay declared, so that a request for one is understood as what it is, and are answered honestly:
// it is not connected here. Something that is connected later registers its tool first and takes the place.
#pragma once

#include <memory>
#include <vector>

#include "services/assistant/registry.h"

namespace ink::assistant {

// One for each declaration of the catalogue that has no tool in the registry yet.
std::vector<std::shared_ptr<Tool>> absent_tools(const std::vector<Json>& catalogue, const Registry& registry);

}  // namespace ink::assistant
