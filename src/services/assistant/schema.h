// Whether arguments fit the schema of a tool. Asked before every call, also when the model was held to the
// schema while it wrote: a call may come from another model, and two locks are cheap. Understood are type,
// enum, const, required, properties, additionalProperties (yes or no), items, minimum, maximum, minLength,
// maxLength, minItems, maxItems and simple patterns; other keywords of a foreign tool's schema are left to
// the tool itself.
#pragma once

#include "base/json.h"
#include "base/result.h"

namespace ink::assistant {

// Errors: kInvalid with the place ("set_timer.seconds"), what the schema wants and what was there.
Status check_arguments(const Json& arguments, const Json& schema, const std::string& where);

}  // namespace ink::assistant
