// See services/assistant/schema.h.
#include "services/assistant/schema.h"

#include <regex.h>

#include "base/utf8.h"

namespace ink::assistant {
namespace {

constexpr size_t kMostPatternBytes = 200;
constexpr int kMostNesting = 32;

Error misfit(const std::string& where, const std::string& wanted, const Json& got) {
  return {ErrorKind::kInvalid, where, wanted, json_excerpt(got), ""};
}

bool is_whole(const Json& value) {
  if (value.is_number_integer()) return true;
  if (!value.is_number_float()) return false;
  const double number = value.get<double>();
  return number >= -9e15 && number <= 9e15 && number == static_cast<double>(static_cast<int64_t>(number));
}

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "integer") return is_whole(value);
  if (type == "number") return value.is_number();
  return true;  // a type we have never heard of is the tool's own affair
}

bool has_one_type(const Json& value, const Json& type) {
  if (type.is_string()) return has_type(value, type.get<std::string>());
  if (!type.is_array() || type.empty()) return true;
  for (const auto& one : type) {
    if (!one.is_string() || has_type(value, one.get<std::string>())) return true;
  }
  return false;
}

// POSIX expressions: glibc's matcher does not backtrack, so a foreign pattern cannot make it run for ever.
// What POSIX does not know (\d, look-ahead) and counted repeats (their tables explode) are not looked at.
bool is_simple_pattern(const std::string& pattern) {
  return pattern.size() <= kMostPatternBytes && pattern.find_first_of("\\{") == std::string::npos &&
         pattern.find("(?") == std::string::npos;
}

bool matches(const std::string& text, const std::string& pattern) {
  if (!is_simple_pattern(pattern)) return true;
  if (text.find('\0') != std::string::npos) return false;
  regex_t compiled;
  if (regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return true;
  const bool found = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return found;
}

std::optional<double> number_at(const Json& schema, const char* key) {
  const auto found = schema.find(key);
  if (found == schema.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

Status check_size(size_t size, const Json& schema, const char* least, const char* most,
                  const std::string& where, const Json& value) {
  const auto low = number_at(schema, least);
  const auto high = number_at(schema, most);
  if (low && static_cast<double>(size) < *low) return misfit(where, std::string(least) + " kept", value);
  if (high && static_cast<double>(size) > *high) return misfit(where, std::string(most) + " kept", value);
  return Done{};
}

Status check_string(const std::string& text, const Json& schema, const std::string& where,
                    const Json& value) {
  if (find_invalid_utf8(text)) return misfit(where, "UTF-8 text", value);
  if (Status fits = check_size(count_characters(text), schema, "minLength", "maxLength", where, value);
      !fits.ok())
    return fits;
  const auto pattern = schema.find("pattern");
  if (pattern != schema.end() && pattern->is_string() && !matches(text, pattern->get<std::string>()))
    return misfit(where, "text like " + pattern->get<std::string>(), value);
  return Done{};
}

Status check_number(const Json& value, const Json& schema, const std::string& where) {
  const double number = value.get<double>();
  const auto low = number_at(schema, "minimum");
  const auto high = number_at(schema, "maximum");
  if (low && number < *low) return misfit(where, "at least " + schema["minimum"].dump(), value);
  if (high && number > *high) return misfit(where, "at most " + schema["maximum"].dump(), value);
  return Done{};
}

Status check_value(const Json& value, const Json& schema, const std::string& where, int depth);

Status check_object(const Json& value, const Json& schema, const std::string& where, int depth) {
  const auto required = schema.find("required");
  if (required != schema.end() && required->is_array()) {
    for (const auto& name : *required) {
      if (name.is_string() && !value.contains(name.get<std::string>()))
        return misfit(where, "\"" + name.get<std::string>() + "\"", value);
    }
  }
  const auto properties = schema.find("properties");
  const bool has_properties = properties != schema.end() && properties->is_object();
  const auto more = schema.find("additionalProperties");
  const bool closed = more != schema.end() && more->is_boolean() && !more->get<bool>();
  for (const auto& [name, item] : value.items()) {
    const std::string place = where + "." + name.substr(0, 60);
    if (has_properties && properties->contains(name)) {
      if (Status fits = check_value(item, (*properties)[name], place, depth + 1); !fits.ok()) return fits;
    } else if (closed) {
      return misfit(place, "no such argument", item);
    }
  }
  return Done{};
}

Status check_array(const Json& value, const Json& schema, const std::string& where, int depth) {
  if (Status fits = check_size(value.size(), schema, "minItems", "maxItems", where, value); !fits.ok())
    return fits;
  const auto items = schema.find("items");
  if (items == schema.end() || !items->is_object()) return Done{};
  for (size_t i = 0; i < value.size(); ++i) {
    const std::string place = where + "[" + std::to_string(i) + "]";
    if (Status fits = check_value(value[i], *items, place, depth + 1); !fits.ok()) return fits;
  }
  return Done{};
}

Status check_value(const Json& value, const Json& schema, const std::string& where, int depth) {
  if (depth > kMostNesting) return misfit(where, "less nesting", Json());
  if (!schema.is_object()) return Done{};
  const auto type = schema.find("type");
  if (type != schema.end() && !has_one_type(value, *type)) return misfit(where, type->dump(), value);
  const auto choices = schema.find("enum");
  if (choices != schema.end() && choices->is_array() &&
      std::find(choices->begin(), choices->end(), value) == choices->end())
    return misfit(where, "one of " + choices->dump(), value);
  const auto constant = schema.find("const");
  if (constant != schema.end() && *constant != value) return misfit(where, constant->dump(), value);
  if (value.is_string()) return check_string(value.get_ref<const std::string&>(), schema, where, value);
  if (value.is_number()) return check_number(value, schema, where);
  if (value.is_object()) return check_object(value, schema, where, depth);
  if (value.is_array()) return check_array(value, schema, where, depth);
  return Done{};
}

}  // namespace

Status check_arguments(const Json& arguments, const Json& schema, const std::string& where) {
  if (!arguments.is_object()) return misfit(where, "an object of arguments", arguments);
  return check_value(arguments, schema, where, 0);
}

}  // namespace ink::assistant
