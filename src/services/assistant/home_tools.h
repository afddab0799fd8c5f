// The tools of the catalogue that act on a home: set_light, set_climate, set_curtain, set_appliance,
// control_vacuum, set_door_lock, run_scene, and the car's set_window, set_seat_heating, set_defog, set_trunk,
// get_charge_status, and get_power_status (the home's, else this device's battery). Written once for every
// Home.
#pragma once

#include <memory>
#include <vector>

#include "services/assistant/catalogue.h"
#include "services/assistant/home.h"

namespace ink::assistant {

// catalogue: function declarations, of which those named above are taken; one that is missing makes no tool.
Tools home_tools(const std::vector<Json>& catalogue, const std::shared_ptr<Home>& home);

}  // namespace ink::assistant
