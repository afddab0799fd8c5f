// The "format" keyword: formats that can be written exactly, as patterns. Each admits a part of what its
// standard admits, so that every validator agrees: no leap seconds, no quoted or international mail
// addresses, no host names with two hyphens in a row, URIs with a host.
#pragma once

#include <string>
#include <string_view>

namespace ink {

// An anchored pattern (runtime/grammar_pattern_read.h); empty: the format is not known.
std::string_view pattern_of_format(std::string_view format);
std::string known_formats();  // for messages

}  // namespace ink
