// What people call their rooms, appliances and scenes in Home Assistant, in the words of the catalogue. A
// house is set up in any language, so each name is looked for in all three; the longest word that occurs in
// it wins ("主卧室" holds "卧室").
#pragma once

#include <string>
#include <string_view>

namespace ink::home_assistant {

std::string room_in(std::string_view name);       // "living_room", or empty
std::string appliance_in(std::string_view name);  // "tv", or empty
std::string scene_in(std::string_view name);      // "movie", or empty

}  // namespace ink::home_assistant
