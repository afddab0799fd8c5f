// See services/wire/fields.h.
#include "services/wire/fields.h"

#include <cmath>
#include <cstdlib>

#include "base/utf8.h"

namespace ink::wire {
namespace {

const Json kNull;
constexpr size_t kMaxStops = 16;
constexpr size_t kMaxStopBytes = 1024;

std::string number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

// The integer a JSON number stands for; 5.0 is one too, as some clients write it.
std::optional<int64_t> as_integer(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto wide = value.get<uint64_t>();
    return wide > static_cast<uint64_t>(INT64_MAX) ? std::nullopt : std::optional(static_cast<int64_t>(wide));
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double real = value.get<double>();
  if (!(std::fabs(real) < 9.0e15) || real != std::floor(real)) return std::nullopt;
  return static_cast<int64_t>(real);
}

// The milliseconds of one unit of Go's durations.
std::optional<double> unit_ms(std::string_view unit) {
  if (unit == "h") return 3600e3;
  if (unit == "m") return 60e3;
  if (unit == "s") return 1e3;
  if (unit == "ms") return 1;
  if (unit == "us" || unit == "µs") return 1e-3;
  if (unit == "ns") return 1e-6;
  return std::nullopt;
}

std::optional<double> duration_text_ms(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const size_t unit = std::min(text.find_first_of("0123456789.", digits), text.size());
    if (digits == 0 || digits > 15) return std::nullopt;
    const std::string_view name = text.substr(digits, unit - digits);
    // A number without a unit is one of seconds.
    const auto scale = name.empty() ? std::optional(1e3) : unit_ms(name);
    if (!scale) return std::nullopt;
    total += std::strtod(std::string(text.substr(0, digits)).c_str(), nullptr) * *scale;
    text.remove_prefix(unit);
  }
  return negative ? -total : total;
}

}  // namespace

std::string describe(const Json& value) {
  if (value.is_string())
    return "a JSON string '" + std::string(first_characters(value.get_ref<const std::string&>(), 40)) + "'";
  if (value.is_number()) return value.dump();
  if (value.is_null()) return "nothing";
  return std::string("a JSON ") + value.type_name();
}

Error wrong(std::string where, std::string wanted, const Json& got) {
  return {ErrorKind::kInvalid, std::move(where), std::move(wanted), describe(got), ""};
}

Error not_supported(std::string where, std::string what, std::string advice) {
  return {ErrorKind::kUnsupported, std::move(where), "", std::move(what), std::move(advice)};
}

Fields::Fields(const Json& object, std::string where)
    : object_(object.is_object() ? object : kNull), where_(std::move(where)) {
  if (!object.is_object()) fail(wrong(where_.empty() ? "body" : where_, "a JSON object", object));
}

void Fields::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

std::string Fields::place(std::string_view key) const {
  return where_.empty() ? std::string(key) : where_ + "." + std::string(key);
}

const Json* Fields::given(const char* key) const {
  if (error_) return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

const Json* Fields::object(const char* key) {
  const Json* value = given(key);
  if (value == nullptr || value->is_object()) return value;
  fail(wrong(place(key), "an object", *value));
  return nullptr;
}

const Json* Fields::array(const char* key) {
  const Json* value = given(key);
  if (value == nullptr || value->is_array()) return value;
  fail(wrong(place(key), "an array", *value));
  return nullptr;
}

const Json& Fields::needed(const char* key, const char* wanted) {
  if (const Json* value = given(key)) return *value;
  fail(wrong(place(key), wanted, kNull));
  return kNull;
}

void Fields::text(const char* key, std::string& out) {
  const Json* value = given(key);
  if (value == nullptr) return;
  if (value->is_string()) {
    out = value->get<std::string>();
  } else {
    fail(wrong(place(key), "a text", *value));
  }
}

void Fields::flag(const char* key, bool& out) {
  std::optional<bool> value;
  flag(key, value);
  out = value.value_or(out);
}

void Fields::flag(const char* key, std::optional<bool>& out) {
  const Json* value = given(key);
  if (value == nullptr) return;
  if (value->is_boolean()) {
    out = value->get<bool>();
  } else {
    fail(wrong(place(key), "true or false", *value));
  }
}

void Fields::number(const char* key, float least, float most, std::optional<float>& out) {
  const Json* value = given(key);
  if (value == nullptr) return;
  const double real = value->is_number() ? value->get<double>() : NAN;
  if (real >= static_cast<double>(least) && real <= static_cast<double>(most)) {
    out = static_cast<float>(real);
  } else {
    fail(wrong(place(key), "a number from " + number_text(least) + " to " + number_text(most), *value));
  }
}

std::optional<int64_t> Fields::whole_number(const char* key, int64_t least, int64_t most) {
  const Json* value = given(key);
  if (value == nullptr) return std::nullopt;
  const auto number = as_integer(*value);
  if (number && *number >= least && *number <= most) return number;
  fail(wrong(place(key), "an integer from " + std::to_string(least) + " to " + std::to_string(most), *value));
  return std::nullopt;
}

void Fields::integer(const char* key, int64_t least, int64_t most, int64_t& out) {
  out = whole_number(key, least, most).value_or(out);
}

void Fields::integer(const char* key, int64_t least, int64_t most, std::optional<int64_t>& out) {
  if (const auto value = whole_number(key, least, most)) out = value;
}

void Fields::seed(const char* key, std::optional<uint64_t>& out) {
  const Json* value = given(key);
  if (value == nullptr) return;
  if (value->is_number_unsigned()) {
    out = value->get<uint64_t>();
  } else if (const auto number = as_integer(*value)) {
    out = static_cast<uint64_t>(*number);
  } else {
    fail(wrong(place(key), "an integer of 64 bits", *value));
  }
}

void Fields::texts(const char* key, std::vector<std::string>& out) {
  const Json* value = given(key);
  if (value == nullptr) return;
  const Json list = value->is_array() ? *value : Json::array({*value});
  if (list.size() > kMaxStops)
    return fail({ErrorKind::kInvalid, place(key), "at most " + std::to_string(kMaxStops) + " texts",
                 std::to_string(list.size()), ""});
  out.clear();
  for (const Json& item : list) {
    if (!item.is_string()) return fail(wrong(place(key), "a text or an array of texts", item));
    const auto& one = item.get_ref<const std::string&>();
    if (one.size() > kMaxStopBytes)
      return fail({ErrorKind::kInvalid, place(key),
                   "texts of at most " + std::to_string(kMaxStopBytes) + " bytes", std::to_string(one.size()),
                   ""});
    if (!one.empty()) out.push_back(one);
  }
}

void Fields::refuse(const char* key, const char* what, const char* advice) {
  const Json* value = given(key);
  if (value != nullptr && says_something(*value)) fail(not_supported(place(key), what, advice));
}

bool says_something(const Json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.empty();
}

std::optional<std::chrono::milliseconds> parse_duration(const Json& value) {
  std::optional<double> ms;
  if (value.is_number()) ms = value.get<double>() * 1e3;
  if (value.is_string()) ms = duration_text_ms(value.get_ref<const std::string&>());
  if (!ms) return std::nullopt;
  if (*ms < 0) return std::chrono::milliseconds(-1);
  // Longer than ten years is for good; a smaller number would overflow somebody's clock.
  if (!(*ms < 3.2e11)) return std::chrono::milliseconds(-1);
  return std::chrono::milliseconds(static_cast<int64_t>(*ms));
}

void read_keep_alive(Fields& fields, std::optional<std::chrono::milliseconds>& out) {
  const Json* value = fields.given("keep_alive");
  if (value == nullptr) return;
  out = parse_duration(*value);
  if (!out) fields.fail(wrong(fields.place("keep_alive"), "seconds or a duration such as \"10m\"", *value));
}

}  // namespace ink::wire
