// The schema of a foreign tool as the constraint can enforce it. Servers write anything JSON Schema allows;
// what the constraint does not know is left out here (and left to the server to judge), so that the tool can
// still be called and the rest of its schema still holds.
#pragma once

#include "base/json.h"

namespace ink::assistant {

// A declaration with types, properties, required, enum, items and bounds only; a value without a type is a
// string. Given back unchanged when the constraint can enforce all of it.
Json enforceable(const Json& declaration);

}  // namespace ink::assistant
