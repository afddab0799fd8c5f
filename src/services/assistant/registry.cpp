// See services/assistant/registry.h.
#include "services/assistant/registry.h"

#include <algorithm>

#include "base/json_pointer.h"
#include "text/parameter_types.h"

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
  return {ErrorKind::kInvalid, where, wanted, json_excerpt(got), ""};
}

}  // namespace

Status check_declaration(const Json& declaration, const std::string& where) {
  const Json* function = find_member(declaration, "function");
  if (function == nullptr || !function->is_object())
    return wrong(where, "an object with a \"function\"", declaration);
  if (!is_name(text_member(*function, "name")))
    return wrong(where, "a name of letters, digits, _ and -, at most 64", *function);
  const Json* parameters = find_member(*function, "parameters");
  if (parameters == nullptr) return Done{};
  const Json* type = declared_keyword(*parameters, "type");
  if (!parameters->is_object() || (type != nullptr && *type != "object"))
    return wrong(where, "parameters that are the schema of an object", *parameters);
  const Json* properties = find_member(*parameters, "properties");
  if (properties != nullptr && !properties->is_object())
    return wrong(where, "properties by name", *properties);
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
