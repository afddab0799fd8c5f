// What a tool's declaration says about the types of its parameters: by it a raw text of the XML dialect is
// read as a string, a number or an object (text/tool_calls_xml.cpp), and written (runtime/grammar_xml.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace ink {

// What a schema of parameters has under a keyword, also where it is a $ref to the one that has it; nothing
// where none has.
const Json* declared_keyword(const Json& parameters, std::string_view keyword);

// The properties that it declares; nothing where there are none.
const Json* declared_properties(const Json& parameters);

// The names of the types that a parameter may have: those of "type", also through anyOf, oneOf, allOf and
// $ref within the parameters. Empty where none is named, or where that takes more than 256 schemas to tell.
std::vector<std::string> parameter_types(const Json& parameters, std::string_view name);

}  // namespace ink
