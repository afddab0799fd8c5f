// Parts of a JSON text by their place: members, and JSON pointers (RFC 6901), also as the fragment of a $ref:
// with %XX for any byte.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace ink {

// The member of that name; nothing where there is none, or where this is no object.
const Json* find_member(const Json& object, std::string_view name);
// Its text; empty where it is none.
std::string text_member(const Json& object, std::string_view name);

// The value at a place such as /$defs/point/x; nothing where there is none. The empty pointer is the root;
// any other has to begin with a slash.
const Json* find_pointed(const Json& root, std::string_view pointer);

}  // namespace ink
