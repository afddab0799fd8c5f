// JSON pointers (RFC 6901), also as the fragment of a $ref: with %XX for any byte.
#pragma once

#include <string_view>

#include "base/json.h"

namespace ink {

// The value at a place such as /$defs/point/x; nothing where there is none. The empty pointer is the root;
// any other has to begin with a slash.
const Json* find_pointed(const Json& root, std::string_view pointer);

}  // namespace ink
