// JSON for every room: nlohmann/json (chosen for its ordered objects: tool schemas must keep their key
// order), behind a parse that never throws and refuses deep nesting before the parser's recursion could
// matter.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ink {

using Json = nlohmann::ordered_json;

inline constexpr int kMaxJsonDepth = 128;
inline constexpr int kMaxJsonKeys =
    1024;  // in one object: larger tables are read as events by their own readers

// Errors: kInvalid with the byte position, kTooLarge when nested deeper than kMaxJsonDepth or wider than
// kMaxJsonKeys.
Result<Json> parse_json(std::string_view text, const std::string& where);

// Compact text on one line; bytes that are not UTF-8 (a file's name, half a token) become U+FFFD.
std::string json_text(const Json& value);
// The beginning of that, for an error that shows what was found.
std::string json_excerpt(const Json& value);

// Compact text as Python's json.dumps(ensure_ascii=False) writes it: ", " and ": " between items, non-ASCII
// characters as they are, floats in Python's shortest form. This is the chat templates' `tojson`.
std::string python_json(const Json& value);

}  // namespace ink
