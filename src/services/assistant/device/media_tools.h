// set_volume, media_control and play_music, through whichever media player runs (MPRIS). A player cannot be
// asked to search, so music that is named is honestly not found here.
#pragma once

#include "services/assistant/catalogue.h"

namespace ink::assistant {

Tools media_tools(const std::vector<Json>& catalogue);

}  // namespace ink::assistant
