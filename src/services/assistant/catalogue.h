// The catalogue that the pocket model was trained for: pocket/assistant/catalogue.json, as it was when the
// program was built.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "services/assistant/tool.h"

namespace ink::assistant {

// An array of function declarations. Errors: kInvalid with the place.
Result<std::vector<Json>> read_catalogue(std::string_view text, const std::string& where);
const std::vector<Json>& embedded_catalogue();
// The declaration of this name, or null.
const Json* find_declaration(const std::vector<Json>& catalogue, std::string_view name);

// Adds the tool that the catalogue declares under this name; none when it does not.
using Tools = std::vector<std::shared_ptr<Tool>>;
void add_declared(Tools& tools, const std::vector<Json>& catalogue, std::string_view name, CallFunction call,
                  RiskFunction risk = {});

}  // namespace ink::assistant
