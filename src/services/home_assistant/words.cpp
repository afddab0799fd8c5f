// The tables, and one search for all of them. Latin words must stand alone ("tv" is not in "activity"),
// Chinese ones need not.
#include "services/home_assistant/words.h"

#include <array>
#include <span>

namespace ink::home_assistant {
namespace {

struct Entry {
  std::string_view word;
  std::string_view meaning;
};

constexpr auto kRooms = std::to_array<Entry>({
    {"living room", "living_room"},
    {"lounge", "living_room"},
    {"sitting room", "living_room"},
    {"客厅", "living_room"},
    {"客廳", "living_room"},
    {"起居室", "living_room"},
    {"大廳", "living_room"},
    {"大厅", "living_room"},
    {"master bedroom", "master_bedroom"},
    {"main bedroom", "master_bedroom"},
    {"主卧", "master_bedroom"},
    {"主臥", "master_bedroom"},
    {"主人房", "master_bedroom"},
    {"bedroom", "bedroom"},
    {"卧室", "bedroom"},
    {"臥室", "bedroom"},
    {"睡房", "bedroom"},
    {"kitchen", "kitchen"},
    {"厨房", "kitchen"},
    {"廚房", "kitchen"},
    {"bathroom", "bathroom"},
    {"toilet", "bathroom"},
    {"washroom", "bathroom"},
    {"卫生间", "bathroom"},
    {"洗手间", "bathroom"},
    {"洗手間", "bathroom"},
    {"厕所", "bathroom"},
    {"廁所", "bathroom"},
    {"浴室", "bathroom"},
    {"沖涼房", "bathroom"},
    {"study", "study"},
    {"office", "study"},
    {"书房", "study"},
    {"書房", "study"},
    {"kids room", "kids_room"},
    {"kids' room", "kids_room"},
    {"children's room", "kids_room"},
    {"nursery", "kids_room"},
    {"儿童房", "kids_room"},
    {"兒童房", "kids_room"},
    {"細路房", "kids_room"},
    {"balcony", "balcony"},
    {"terrace", "balcony"},
    {"阳台", "balcony"},
    {"陽台", "balcony"},
    {"露台", "balcony"},
    {"dining room", "dining_room"},
    {"餐厅", "dining_room"},
    {"餐廳", "dining_room"},
    {"飯廳", "dining_room"},
    {"hallway", "hallway"},
    {"hall", "hallway"},
    {"corridor", "hallway"},
    {"走廊", "hallway"},
    {"过道", "hallway"},
    {"過道", "hallway"},
    {"玄关", "hallway"},
    {"玄關", "hallway"},
    {"car", "car"},
    {"车", "car"},
    {"車", "car"},
    {"garage", ""},
    {"车库", ""},
    {"車庫", ""},
    {"车房", ""},
    {"車房", ""},
});

constexpr auto kAppliances = std::to_array<Entry>({
    {"tv", "tv"},
    {"television", "tv"},
    {"电视", "tv"},
    {"電視", "tv"},
    {"fan", "fan"},
    {"风扇", "fan"},
    {"風扇", "fan"},
    {"dehumidifier", "dehumidifier"},
    {"除湿", "dehumidifier"},
    {"抽湿", "dehumidifier"},
    {"抽濕", "dehumidifier"},
    {"humidifier", "humidifier"},
    {"加湿", "humidifier"},
    {"加濕", "humidifier"},
    {"放濕", "humidifier"},
    {"air purifier", "air_purifier"},
    {"purifier", "air_purifier"},
    {"空气净化", "air_purifier"},
    {"净化器", "air_purifier"},
    {"空氣清新", "air_purifier"},
    {"空氣淨化", "air_purifier"},
    {"water heater", "water_heater"},
    {"boiler", "water_heater"},
    {"热水器", "water_heater"},
    {"熱水爐", "water_heater"},
    {"kettle", "kettle"},
    {"水壶", "kettle"},
    {"熱水壺", "kettle"},
    {"水煲", "kettle"},
    {"rice cooker", "rice_cooker"},
    {"电饭", "rice_cooker"},
    {"電飯", "rice_cooker"},
    {"washing machine", "washing_machine"},
    {"washer", "washing_machine"},
    {"洗衣机", "washing_machine"},
    {"洗衣機", "washing_machine"},
    {"dishwasher", "dishwasher"},
    {"洗碗", "dishwasher"},
    {"oven", "oven"},
    {"烤箱", "oven"},
    {"焗爐", "oven"},
    {"range hood", "range_hood"},
    {"cooker hood", "range_hood"},
    {"油烟机", "range_hood"},
    {"油煙機", "range_hood"},
    {"plug", "plug"},
    {"socket", "plug"},
    {"outlet", "plug"},
    {"插座", "plug"},
    {"插头", "plug"},
    {"插蘇", "plug"},
});

constexpr auto kScenes = std::to_array<Entry>({
    {"home", "home"},     {"arrive", "home"},  {"回家", "home"},       {"返屋企", "home"},
    {"away", "away"},     {"leave", "away"},   {"离家", "away"},       {"離家", "away"},
    {"出门", "away"},     {"出門", "away"},    {"sleep", "sleep"},     {"good night", "sleep"},
    {"bedtime", "sleep"}, {"睡眠", "sleep"},   {"睡觉", "sleep"},      {"瞓覺", "sleep"},
    {"晚安", "sleep"},    {"wake", "wake_up"}, {"wake up", "wake_up"}, {"morning", "wake_up"},
    {"起床", "wake_up"},  {"起身", "wake_up"}, {"早晨", "wake_up"},    {"movie", "movie"},
    {"cinema", "movie"},  {"电影", "movie"},   {"電影", "movie"},      {"观影", "movie"},
    {"睇戲", "movie"},    {"影院", "movie"},   {"reading", "reading"}, {"阅读", "reading"},
    {"閱讀", "reading"},  {"睇書", "reading"}, {"看书", "reading"},    {"dinner", "dinner"},
    {"晚餐", "dinner"},   {"用餐", "dinner"},  {"食飯", "dinner"},     {"吃饭", "dinner"},
    {"party", "party"},   {"派对", "party"},   {"派對", "party"},      {"聚会", "party"},
});

bool latin(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  if (!latin(text[begin])) return true;
  return (begin == 0 || !latin(text[begin - 1])) && (end == text.size() || !latin(text[end]));
}

std::string find(std::string_view name, std::span<const Entry> entries) {
  std::string folded(name);
  for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '_' ? ' ' : c;
  const Entry* best = nullptr;
  for (const Entry& entry : entries) {
    const size_t at = folded.find(entry.word);
    if (at == std::string::npos || !stands_alone(folded, at, at + entry.word.size())) continue;
    if (!best || entry.word.size() > best->word.size()) best = &entry;
  }
  return best ? std::string(best->meaning) : "";
}

}  // namespace

std::string room_in(std::string_view name) { return find(name, kRooms); }
std::string appliance_in(std::string_view name) { return find(name, kAppliances); }
std::string scene_in(std::string_view name) { return find(name, kScenes); }

}  // namespace ink::home_assistant
