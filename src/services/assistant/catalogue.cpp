// See services/assistant/catalogue.h.
#include "services/assistant/catalogue.h"

#include "base/check.h"
#include "services/assistant/embedded.h"
#include "services/assistant/registry.h"

namespace ink::assistant {

Result<std::vector<Json>> read_catalogue(std::string_view text, const std::string& where) {
  const auto json = parse_json(text, where);
  if (!json.ok()) return json.error();
  if (!json->is_array())
    return Error{ErrorKind::kInvalid, where, "an array of function declarations", json->type_name(), ""};
  std::vector<Json> all;
  for (size_t i = 0; i < json->size(); ++i) {
    const Status valid = check_declaration((*json)[i], where + "[" + std::to_string(i) + "]");
    if (!valid.ok()) return valid.error();
    all.push_back((*json)[i]);
  }
  return all;
}

const std::vector<Json>& embedded_catalogue() {
  static const std::vector<Json> catalogue = [] {
    auto all = read_catalogue(embedded::catalogue(), "catalogue.json");
    INK_CHECK(all.ok(), "the embedded catalogue can be read");
    return std::move(*all);
  }();
  return catalogue;
}

const Json* find_declaration(const std::vector<Json>& catalogue, std::string_view name) {
  for (const auto& one : catalogue) {
    if (one["function"]["name"].get_ref<const std::string&>() == name) return &one;
  }
  return nullptr;
}

void add_declared(Tools& tools, const std::vector<Json>& catalogue, std::string_view name, CallFunction call,
                  RiskFunction risk) {
  if (const Json* declaration = find_declaration(catalogue, name))
    tools.push_back(make_tool(*declaration, std::move(call), std::move(risk)));
}

}  // namespace ink::assistant
