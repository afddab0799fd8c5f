// See services/assistant/registry.h.
#include "services/assistant/registry.h"

#include <algorithm>

namespace ink::assistant {
namespace {

constexpr size_t kMostNameBytes = 64;  // what the OpenAI wire allows

bool is_name(const std::string& name) {
  const auto fits = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kMostNameBytes && std::all_of(name.begin(), name.end(), fits);
}

Error wrong(const std::string& where, const char* wanted, const Json& got) {
  return {ErrorKind::kInvalid, where, wanted, json_text(got).substr(0, 60), ""};
}

}  // namespace

Status check_declaration(const Json& declaration, const std::string& where) {
  if (!declaration.is_object() || !declaration.contains("function") || !declaration["function"].is_object())
    return wrong(where, "an object with a \"function\"", declaration);
  const Json& function = declaration["function"];
  if (!function.contains("name") || !function["name"].is_string() ||
      !is_name(function["name"].get_ref<const std::string&>()))
    return wrong(where, "a name of letters, digits, _ and -, at most 64", function);
  if (!function.contains("parameters")) return Done{};
  const Json& parameters = function["parameters"];
  if (!parameters.is_object() || parameters.value("type", Json("object")) != "object")
    return wrong(where, "parameters that are the schema of an object", parameters);
  if (parameters.contains("properties") && !parameters["properties"].is_object())
    return wrong(where, "properties by name", parameters["properties"]);
  return Done{};
}

Status Registry::add(std::shared_ptr<Tool> tool, const std::string& source) {
  if (Status valid = check_declaration(tool->declaration(), source); !valid.ok()) return valid;
  const std::string name(tool->name());
  for (const auto& entry : entries_) {
    if (entry.tool->name() == name)
      return Error{ErrorKind::kInvalid, source + ": " + name, "a name that is free", "one of " + entry.source,
                   ""};
  }
  entries_.push_back({std::move(tool), source});
  return Done{};
}

std::shared_ptr<Tool> Registry::find(std::string_view name) const {
  for (const auto& entry : entries_) {
    if (entry.tool->name() == name) return entry.tool;
  }
  return nullptr;
}

std::vector<Json> Registry::declarations() const {
  std::vector<Json> all;
  for (const auto& entry : entries_) all.push_back(entry.tool->declaration());
  return all;
}

}  // namespace ink::assistant
