// See services/assistant/plain_schema.h.
#include "services/assistant/plain_schema.h"

#include <array>
#include <span>
#include <string_view>

#include "runtime/grammar_tools.h"

namespace ink::assistant {
namespace {

constexpr int kMostPlainDepth = 8;  // deeper values become text

Json plain(const Json& schema, int depth);

void copy_if(const Json& from, Json& to, std::string_view key) {
  const auto found = from.find(key);
  if (found != from.end()) to[std::string(key)] = *found;
}

std::string type_of(const Json& schema) {
  const auto type = schema.find("type");
  if (type != schema.end() && type->is_string()) return type->get<std::string>();
  if (type != schema.end() && type->is_array()) {
    for (const auto& one : *type) {
      if (one.is_string() && one != "null") return one.get<std::string>();
    }
  }
  if (schema.contains("properties")) return "object";
  return schema.contains("items") ? "array" : "string";
}

Json plain_object(const Json& schema, int depth) {
  Json result{{"type", "object"}, {"properties", Json::object()}};
  const auto properties = schema.find("properties");
  if (properties != schema.end() && properties->is_object()) {
    for (const auto& [name, property] : properties->items())
      result["properties"][name] = plain(property, depth + 1);
  }
  result["required"] = Json::array();
  const auto required = schema.find("required");
  if (required != schema.end() && required->is_array()) {
    for (const auto& name : *required) {
      if (name.is_string() && result["properties"].contains(name.get<std::string>()))
        result["required"].push_back(name);
    }
  }
  result["additionalProperties"] = false;
  return result;
}

Json plain(const Json& schema, int depth) {
  if (!schema.is_object() || depth > kMostPlainDepth) return {{"type", "string"}};
  const auto choices = schema.find("enum");
  if (choices != schema.end() && choices->is_array() && !choices->empty()) return {{"enum", *choices}};
  const std::string type = type_of(schema);
  if (type == "object") return plain_object(schema, depth);
  Json result{{"type", type}};
  if (type == "array") {
    result["items"] = plain(schema.value("items", Json()), depth + 1);
  } else if (type == "integer" || type == "number") {
    copy_if(schema, result, "minimum");
    copy_if(schema, result, "maximum");
  } else if (type == "string") {
    copy_if(schema, result, "minLength");
    copy_if(schema, result, "maxLength");
  } else if (type != "boolean" && type != "null") {
    result["type"] = "string";
  }
  return result;
}

}  // namespace

Json enforceable(const Json& declaration) {
  if (compile_tools(std::span(&declaration, 1), {.all_strict = true}).ok()) return declaration;
  Json result = declaration;
  result["function"]["parameters"] =
      plain_object(declaration["function"].value("parameters", Json::object()), 0);
  return result;
}

}  // namespace ink::assistant
