// Ids that nobody else has: of calls, of messages, of responses.
#pragma once

#include <string>
#include <string_view>

namespace ink {

// `prefix` and 24 random letters and digits.
std::string random_id(std::string_view prefix);

}  // namespace ink
