// See services/assistant/device/units.h.
#include "services/assistant/device/units.h"

#include <algorithm>
#include <cctype>

#include "services/assistant/device/calculator.h"
#include "services/assistant/device/terms.h"

namespace ink::assistant {
namespace {

// value in base units = (value + before) * numerator / denominator.
struct Unit {
  const char* quantity;
  const char* numerator;
  const char* denominator;
  const char* before;
  const char* names;  // separated by |, folded (see terms.h)
};
constexpr Unit kUnits[] = {
    {"length", "1", "1", "0", "m|meter|metre|meters|metres|米|公尺"},
    {"length", "1000", "1", "0", "km|kilometer|kilometre|kilometers|kilometres|公里|千米"},
    {"length", "1", "100", "0", "cm|centimeter|centimetre|centimeters|centimetres|厘米|公分"},
    {"length", "1", "1000", "0", "mm|millimeter|millimetre|millimeters|millimetres|毫米"},
    {"length", "1609.344", "1", "0", "mi|mile|miles|英里"},
    {"length", "0.9144", "1", "0", "yd|yard|yards|码"},
    {"length", "0.3048", "1", "0", "ft|foot|feet|英尺|尺|呎"},
    {"length", "0.0254", "1", "0", "in|inch|inches|英寸|寸|吋"},
    {"length", "500", "1", "0", "li|里|华里"},
    {"length", "1852", "1", "0", "nmi|nauticalmile|nautical mile|nautical miles|海里"},
    {"mass", "1", "1", "0", "kg|kilo|kilos|kilogram|kilograms|公斤|千克"},
    {"mass", "1", "1000", "0", "g|gram|grams|克"},
    {"mass", "1", "1000000", "0", "mg|milligram|milligrams|毫克"},
    {"mass", "1000", "1", "0", "t|tonne|tonnes|吨"},
    {"mass", "0.45359237", "1", "0", "lb|lbs|pound|pounds|磅"},
    {"mass", "0.028349523125", "1", "0", "oz|ounce|ounces|盎司|安士"},
    {"mass", "0.5", "1", "0", "jin|斤|市斤"},
    {"mass", "0.05", "1", "0", "liang|两|市两"},
    {"mass", "0.60478982", "1", "0", "catty|catties|司马斤"},
    {"mass", "0.60478982", "16", "0", "tael|taels|司马两"},
    {"volume", "1", "1", "0", "l|litre|liter|litres|liters|升|公升"},
    {"volume", "1", "1000", "0", "ml|millilitre|milliliter|millilitres|milliliters|毫升"},
    {"volume", "1000", "1", "0", "m3|cubic meter|cubic metre|cubic meters|立方米"},
    {"volume", "3.785411784", "1", "0", "gal|gallon|gallons|加仑"},
    {"volume", "0.946352946", "1", "0", "qt|quart|quarts"},
    {"volume", "0.473176473", "1", "0", "pt|pint|pints|品脱"},
    {"volume", "0.2365882365", "1", "0", "cup|cups|杯"},
    {"volume", "0.01478676478125", "1", "0", "tbsp|tablespoon|tablespoons|汤匙"},
    {"volume", "0.00492892159375", "1", "0", "tsp|teaspoon|teaspoons|茶匙"},
    {"area", "1", "1", "0", "m2|square meter|square metre|square meters|平方米|平米"},
    {"area", "1000000", "1", "0", "km2|square kilometer|square kilometre|平方公里"},
    {"area", "10000", "1", "0", "ha|hectare|hectares|公顷"},
    {"area", "2000", "3", "0", "mu|亩"},
    {"area", "4046.8564224", "1", "0", "acre|acres|英亩"},
    {"area", "0.09290304", "1", "0", "ft2|sqft|square foot|square feet|平方英尺|平方尺|平方呎"},
    {"speed", "1", "1", "0", "m/s|meters per second|米每秒"},
    {"speed", "1", "3.6", "0", "km/h|kph|kmh|公里每小时|公里/小时"},
    {"speed", "0.44704", "1", "0", "mph|miles per hour|英里每小时"},
    {"speed", "1852", "3600", "0", "kn|knot|knots|节"},
    {"time", "1", "1", "0", "s|sec|second|seconds|秒"},
    {"time", "60", "1", "0", "min|minute|minutes|分钟|分"},
    {"time", "3600", "1", "0", "h|hr|hour|hours|小时|钟头"},
    {"time", "86400", "1", "0", "d|day|days|天|日"},
    {"time", "604800", "1", "0", "week|weeks|周|星期|礼拜"},
    {"energy", "1", "1", "0", "j|joule|joules|焦耳"},
    {"energy", "1000", "1", "0", "kj|kilojoule|kilojoules|千焦"},
    {"energy", "4184", "1", "0", "kcal|kilocalorie|kilocalories|大卡|千卡"},
    {"energy", "3600000", "1", "0", "kwh|kilowatt hour|kilowatt hours|度电|千瓦时"},
    {"pressure", "1", "1", "0", "pa|pascal|pascals|帕"},
    {"pressure", "1000", "1", "0", "kpa|千帕"},
    {"pressure", "100000", "1", "0", "bar|巴"},
    {"pressure", "101325", "1", "0", "atm|大气压"},
    {"pressure", "6894.757293168", "1", "0", "psi"},
    {"data", "1", "1", "0", "byte|bytes|字节"},
    {"data", "1000", "1", "0", "kb|kilobyte|kilobytes"},
    {"data", "1000000", "1", "0", "mb|megabyte|megabytes"},
    {"data", "1000000000", "1", "0", "gb|gigabyte|gigabytes"},
    {"data", "1000000000000", "1", "0", "tb|terabyte|terabytes"},
    {"data", "1024", "1", "0", "kib"},
    {"data", "1048576", "1", "0", "mib"},
    {"data", "1073741824", "1", "0", "gib"},
    {"temperature", "1", "1", "0", "c|°c|celsius|摄氏|摄氏度"},
    {"temperature", "5", "9", "-32", "f|°f|fahrenheit|华氏|华氏度"},
    {"temperature", "1", "1", "-273.15", "k|kelvin|开尔文"},
};

const Unit* find_unit(std::string_view name) {
  const std::string wanted = folded(name);
  if (wanted.empty()) return nullptr;
  for (const auto& unit : kUnits) {
    std::string_view names = unit.names;
    while (!names.empty()) {
      const size_t end = std::min(names.find('|'), names.size());
      if (names.substr(0, end) == wanted) return &unit;
      names.remove_prefix(std::min(end + 1, names.size()));
    }
  }
  return nullptr;
}

bool is_number(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  const auto fits = [](char c) { return c == '.' || std::isdigit(static_cast<unsigned char>(c)) != 0; };
  return !text.empty() && text.size() <= 60 && std::all_of(text.begin(), text.end(), fits) &&
         std::count(text.begin(), text.end(), '.') <= 1 && text != ".";
}

// The opposite of an offset that is written as text.
std::string negated(std::string_view offset) {
  if (offset == "0") return "0";
  return offset.starts_with('-') ? std::string(offset.substr(1)) : "-" + std::string(offset);
}

}  // namespace

Conversion convert(std::string_view value, std::string_view from, std::string_view to) {
  const Unit* source = find_unit(from);
  const Unit* target = find_unit(to);
  if (!is_number(value)) return {"no_number", ""};
  if (source == nullptr || target == nullptr) return {"unknown_unit", ""};
  if (std::string_view(source->quantity) != target->quantity) return {"unlike_units", ""};
  const std::string numerator = std::string(source->numerator) + "*" + target->denominator;
  const std::string denominator = std::string(source->denominator) + "*" + target->numerator;
  return {"", scaled(value, numerator, denominator, source->before, negated(target->before))};
}

}  // namespace ink::assistant
