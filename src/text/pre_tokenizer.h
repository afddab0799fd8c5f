// Splits text into the words that byte-pair merging never crosses: hand-written scanners for the two regular
// expressions of the family. No regex library: theirs backtrack, are slow, or cannot look ahead.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "text/tokenizer.h"
#include "text/unicode.h"

namespace ink {

// The expressions as tokenizer.json writes them (Oniguruma syntax), and the one a file names.
std::string_view pre_tokenizer_pattern(PreTokenizer pre);
std::optional<PreTokenizer> find_pre_tokenizer(std::string_view pattern);

// Where the word that starts at `start` ends: start < end <= text.size(). Every place in a text is the start
// of a word of at least one byte; a byte that is not valid UTF-8 counts as a symbol.
// Precondition: start < text.size().
size_t word_end(PreTokenizer pre, const UnicodeTable& table, std::string_view text, size_t start);

}  // namespace ink
