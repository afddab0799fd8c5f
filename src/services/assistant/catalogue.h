// The catalogue that the pocket model was trained for: pocket/assistant/catalogue.json, as it was when the
// program was built.
#pragma once

#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ink::assistant {

// An array of function declarations. Errors: kInvalid with the place.
Result<std::vector<Json>> read_catalogue(std::string_view text, const std::string& where);
const std::vector<Json>& embedded_catalogue();
// The declaration of this name, or null.
const Json* find_declaration(const std::vector<Json>& catalogue, std::string_view name);

}  // namespace ink::assistant
