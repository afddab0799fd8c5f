// The keywords that constrain a value directly, each read strictly into a shape.
#pragma once

#include "runtime/grammar_shape.h"

namespace ink {

// Joins what one keyword says; false: it is none of those. Errors name the keyword and its place.
Result<bool> join_assertion(Shape& shape, const std::string& keyword, const SchemaPlace& place);

// Text of a JSON value for a message, not longer than a line.
std::string shortened(const Json& value);

// Whether all texts in it are UTF-8, which a value that was not read from JSON text need not be.
bool is_printable(const Json& value, int depth = 0);

}  // namespace ink
