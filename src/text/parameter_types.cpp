// See parameter_types.h.
#include "text/parameter_types.h"

#include <algorithm>

#include "base/json_pointer.h"

namespace ink {
namespace {

constexpr size_t kMaxSchemas = 256;

void collect_names(const Json& schema, std::vector<std::string>& names) {
  const Json* type = find_member(schema, "type");
  if (type == nullptr) return;
  if (type->is_string()) names.push_back(type->get<std::string>());
  if (!type->is_array()) return;
  for (const Json& each : *type) {
    if (each.is_string()) names.push_back(each.get<std::string>());
  }
}

// What a schema's $ref to a place in these parameters names; nothing where it has none, or none that exists.
const Json* referred_schema(const Json& parameters, const Json& schema) {
  const Json* reference = find_member(schema, "$ref");
  if (reference == nullptr || !reference->is_string()) return nullptr;
  const std::string_view place = reference->get_ref<const std::string&>();
  if (place != "#" && !place.starts_with("#/")) return nullptr;
  return find_pointed(parameters, place.substr(1));
}

}  // namespace

const Json* declared_keyword(const Json& parameters, std::string_view keyword) {
  const Json* schema = &parameters;
  for (size_t count = 0; schema != nullptr && count < kMaxSchemas; ++count) {
    if (const Json* found = find_member(*schema, keyword)) return found;
    schema = referred_schema(parameters, *schema);
  }
  return nullptr;
}

const Json* declared_properties(const Json& parameters) {
  const Json* properties = declared_keyword(parameters, "properties");
  return properties != nullptr && properties->is_object() ? properties : nullptr;
}

std::vector<std::string> parameter_types(const Json& parameters, std::string_view name) {
  const Json* properties = declared_properties(parameters);
  const Json* declared = properties == nullptr ? nullptr : find_member(*properties, name);
  std::vector<const Json*> schemas;  // those that were met: a schema may refer to itself
  const auto meet = [&](const Json* schema) {
    if (schema != nullptr && std::find(schemas.begin(), schemas.end(), schema) == schemas.end())
      schemas.push_back(schema);
  };
  meet(declared);
  std::vector<std::string> names;
  for (size_t i = 0; i < schemas.size(); ++i) {
    if (schemas.size() > kMaxSchemas) return {};
    const Json& schema = *schemas[i];
    collect_names(schema, names);
    meet(referred_schema(parameters, schema));
    for (const char* keyword : {"anyOf", "oneOf", "allOf"}) {
      const Json* list = find_member(schema, keyword);
      if (list == nullptr || !list->is_array()) continue;
      for (const Json& each : *list) meet(&each);
    }
  }
  return names;
}

}  // namespace ink
