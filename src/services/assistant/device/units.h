// Conversion between units of measure, exact where the definition is (an inch is 2.54 cm). Length, mass,
// volume, area, speed, time, energy, pressure, data, temperature; also 斤 and 两 of the mainland, catty and
// tael of Hong Kong.
#pragma once

#include <string>
#include <string_view>

namespace ink::assistant {

struct Conversion {
  std::string problem;  // empty: it worked; else "unknown_unit", "unlike_units", "no_number"
  std::string result;   // a decimal number
};

// value: a decimal number as text. Units by symbol or name ("km", "kilometres", "公里"), case counts only
// where it must (Mb and MB).
Conversion convert(std::string_view value, std::string_view from, std::string_view to);

}  // namespace ink::assistant
