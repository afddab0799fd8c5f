// See grammar_schema_checks.h.
#include "runtime/grammar_schema_checks.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/utf8.h"

namespace ink {
namespace {

constexpr std::string_view kAnnotations[] = {"title",    "description", "default",  "examples",
                                             "$comment", "deprecated",  "readOnly", "writeOnly"};

Error invalid(const std::string& where, std::string wanted, std::string got) {
  return {ErrorKind::kInvalid, where, std::move(wanted), std::move(got), ""};
}

std::string shortened(const Json& value) {
  const std::string text = python_json(value);
  return text.size() <= 60 ? text : text.substr(0, whole_characters(text.substr(0, 57))) + "...";
}

std::string type_of(const Json& value) {
  if (value.is_number_integer()) return "integer";
  return value.is_null() ? "null" : value.type_name();  // nlohmann: object, array, string, boolean, number
}

bool is_of_type(const Json& value, const std::string& type) {
  return type_of(value) == type || (type == "number" && value.is_number_integer());
}

bool is_text(const Json& value) {
  return value.is_string() && !find_invalid_utf8(value.get_ref<const std::string&>());
}

// Whether all texts in it are UTF-8, which a value that was not read from JSON text need not be.
bool is_printable(const Json& value, int depth) {
  if (depth > kMaxJsonDepth) return false;
  if (value.is_string()) return is_text(value);
  if (!value.is_structured()) return !value.is_binary() && !value.is_discarded();
  for (const auto& [key, item] : value.items()) {
    if (find_invalid_utf8(key) || !is_printable(item, depth + 1)) return false;
  }
  return true;
}

// A set of JSON types, one bit each, that values of a schema may have; all of them when that is not plain.
unsigned possible_types(const Json& schema, int depth) {
  constexpr unsigned kAny = ~0u;
  const auto bit = [](const std::string& type) -> unsigned {
    if (type == "object") return 1;
    if (type == "array") return 2;
    if (type == "string") return 4;
    if (type == "integer" || type == "number") return 8;
    if (type == "boolean") return 16;
    return type == "null" ? 32 : kAny;
  };
  if (depth > 8 || !schema.is_object()) return kAny;
  unsigned types = 0;
  if (const auto value = schema.find("const"); value != schema.end()) return bit(type_of(*value));
  for (const char* keyword : {"enum", "anyOf", "oneOf"}) {
    const auto list = schema.find(keyword);
    if (list == schema.end()) continue;
    for (const Json& item : *list)
      types |= keyword == std::string_view("enum") ? bit(type_of(item)) : possible_types(item, depth + 1);
    return types;
  }
  const auto type = schema.find("type");
  return type != schema.end() && type->is_string() ? bit(type->get<std::string>()) : kAny;
}

// Of enum or const; none for any other schema.
Json listed_values(const Json& schema) {
  if (!schema.is_object()) return Json::array();
  if (const auto list = schema.find("enum"); list != schema.end() && list->is_array()) return *list;
  const auto value = schema.find("const");
  return value != schema.end() ? Json::array({*value}) : Json::array();
}

}  // namespace

Status check_keywords(const Json& schema, std::initializer_list<std::string_view> allowed,
                      const std::string& where) {
  for (const auto& item : schema.items()) {
    const std::string& keyword = item.key();
    const auto is_keyword = [&](std::string_view known) { return known == keyword; };
    if (std::any_of(allowed.begin(), allowed.end(), is_keyword)) continue;
    if (std::any_of(std::begin(kAnnotations), std::end(kAnnotations), is_keyword)) continue;
    std::string wanted;
    for (const std::string_view known : allowed) wanted += (wanted.empty() ? "" : ", ") + std::string(known);
    return Error{ErrorKind::kUnsupported, where + "." + keyword,
                 "a keyword that can be enforced here: " + wanted, "'" + keyword + "'", ""};
  }
  return Done{};
}

Result<Counts> read_counts(const Json& schema, const char* least, const char* most,
                           const std::string& where) {
  Counts counts;
  for (const char* keyword : {least, most}) {
    const auto value = schema.find(keyword);
    if (value == schema.end()) continue;
    const double number = value->is_number() ? value->get<double>() : -1;
    if (number < 0 || number != std::floor(number))
      return invalid(where + "." + keyword, "a count", shortened(*value));
    const bool is_least = keyword == least;
    if (is_least && number >= UINT32_MAX)
      return Error{ErrorKind::kTooLarge, where + "." + keyword, "less than 2^32", shortened(*value), ""};
    const auto count = static_cast<uint32_t>(std::min(number, static_cast<double>(UINT32_MAX)));
    (is_least ? counts.least : counts.most) = count;
  }
  if (counts.least > counts.most) {
    return invalid(where, std::string(least) + " at most " + most,
                   std::to_string(counts.least) + " and " + std::to_string(counts.most));
  }
  return counts;
}

Result<std::optional<int64_t>> read_limit(const Json& schema, const char* keyword, const std::string& where) {
  using Limit = std::optional<int64_t>;
  const auto value = schema.find(keyword);
  if (value == schema.end()) return Limit();
  const std::string place = where + "." + keyword;
  if (!value->is_number()) return invalid(place, "a number", shortened(*value));
  const bool is_least = std::string_view(keyword) == "minimum";
  if (value->is_number_integer() && !value->is_number_unsigned()) return Limit(value->get<int64_t>());
  if (value->is_number_unsigned() && value->get<uint64_t>() <= uint64_t{INT64_MAX})
    return Limit(value->get<int64_t>());
  const double number = is_least ? std::ceil(value->get<double>()) : std::floor(value->get<double>());
  constexpr double kEdge = 0x1p63;
  if (number >= -kEdge && number < kEdge) return Limit(static_cast<int64_t>(number));
  // Above all integers there are: as a maximum no limit, as a minimum nothing would be left.
  if (is_least == (number > 0))
    return Error{ErrorKind::kTooLarge, place, "a limit within 64 bits", shortened(*value), ""};
  return Limit();
}

Result<std::vector<ObjectMember>> read_object_schema(const Json& schema, const std::string& where) {
  if (auto status = check_keywords(schema, {"type", "properties", "required", "additionalProperties"}, where);
      !status.ok())
    return status.error();
  const auto additional = schema.find("additionalProperties");
  if (additional != schema.end() && (!additional->is_boolean() || additional->get<bool>()))
    return Error{ErrorKind::kUnsupported, where + ".additionalProperties", "false", shortened(*additional),
                 ""};
  const auto properties = schema.find("properties");
  if (properties == schema.end() || !properties->is_object())
    return Error{ErrorKind::kUnsupported, where, "\"properties\", an object",
                 properties == schema.end() ? "none" : properties->type_name(), ""};
  std::set<std::string> required;
  if (const auto list = schema.find("required"); list != schema.end()) {
    if (!list->is_array()) return invalid(where + ".required", "a list of names", shortened(*list));
    for (const Json& name : *list) {
      if (!name.is_string() || !properties->contains(name.get_ref<const std::string&>()))
        return invalid(where + ".required", "names of properties", shortened(name));
      required.insert(name.get<std::string>());
    }
  }
  std::vector<ObjectMember> members;
  for (const auto& [name, value] : properties->items()) {
    if (find_invalid_utf8(name)) return invalid(where + ".properties", "names in UTF-8", "other bytes");
    members.push_back({name, &value, required.count(name) > 0});
  }
  return members;
}

Result<bool> read_copied(const Json& schema, const std::string& where) {
  const auto copied = schema.find("copied");
  if (copied == schema.end()) return false;
  if (!copied->is_boolean()) return invalid(where + ".copied", "true or false", shortened(*copied));
  if (!copied->get<bool>()) return false;
  for (const char* keyword : {"maxLength", "pattern"}) {
    if (schema.contains(keyword))
      return Error{ErrorKind::kUnsupported, where + "." + keyword, "none beside \"copied\"",
                   shortened(schema[keyword]), ""};
  }
  const auto least = schema.find("minLength");  // a piece is never empty; more is not enforced
  if (least != schema.end() && least->get<double>() > 1)
    return Error{ErrorKind::kUnsupported, where + ".minLength", "at most 1 beside \"copied\"",
                 shortened(*least), ""};
  return true;
}

Status check_pattern_schema(const Json& schema, const std::string& where) {
  if (!is_text(schema["pattern"])) return invalid(where + ".pattern", "a text", shortened(schema["pattern"]));
  for (const char* keyword : {"minLength", "maxLength"}) {
    if (schema.contains(keyword))
      return Error{ErrorKind::kUnsupported, where + "." + keyword, "none beside \"pattern\"",
                   shortened(schema[keyword]), "a pattern can count: {n,m}"};
  }
  return Done{};
}

Result<std::vector<std::string>> read_values(const Json& schema, const std::string& where) {
  const bool is_enum = schema.contains("enum");
  const std::string keyword = is_enum ? "enum" : "const";
  if (auto status = check_keywords(schema, {"type", keyword}, where); !status.ok()) return status.error();
  const std::string place = where + "." + keyword;
  const Json list = is_enum ? schema["enum"] : Json::array({schema["const"]});
  if (!list.is_array() || list.empty()) return invalid(place, "a list of values", shortened(list));
  const auto type = schema.find("type");
  if (type != schema.end() && !type->is_string())
    return Error{ErrorKind::kUnsupported, where + ".type", "one type", shortened(*type), ""};
  std::vector<std::string> values;
  for (const Json& value : list) {
    if (!is_printable(value, 0)) return invalid(place, "values that are JSON", "something else");
    if (type != schema.end() && !is_of_type(value, type->get<std::string>()))
      return invalid(place, "values of type " + type->get<std::string>(), shortened(value));
    values.push_back(python_json(value));
  }
  return values;
}

Status check_disjoint(const Json& schemas, const std::string& where) {
  unsigned seen = 0;
  bool types_differ = true;
  bool only_scalars = true;
  std::set<std::string> values;
  size_t count = 0;
  for (const Json& schema : schemas) {
    const unsigned types = possible_types(schema, 0);
    types_differ = types_differ && (types & seen) == 0;
    seen |= types;
    std::set<std::string> own;
    for (const Json& value : listed_values(schema)) {
      only_scalars = only_scalars && !value.is_structured() && is_printable(value, 0);
      // 1 and 1.0 are one value.
      if (only_scalars) own.insert(value.is_number() ? Json(value.get<double>()).dump() : python_json(value));
    }
    only_scalars = only_scalars && !own.empty();
    count += own.size();
    values.insert(own.begin(), own.end());
  }
  if (types_differ || (only_scalars && values.size() == count)) return Done{};
  return Error{ErrorKind::kUnsupported, where, "alternatives of different types, or of different values",
               "some that may overlap", "anyOf does not ask for that"};
}

}  // namespace ink
