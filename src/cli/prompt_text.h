// The text a person gives to a command: words on the command line, a file, or stdin; checked to be UTF-8
// before anything is loaded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace ink::cli {

inline constexpr uint64_t kMostPromptBytes = uint64_t{256} << 20;

// All of stdin, at most kMostPromptBytes. Errors: kTooLarge, kIo, kInvalid (not UTF-8).
Result<std::string> read_stdin();

// The text of a file or a pipe, at most kMostPromptBytes. Errors: kNotFound, kTooLarge, kIo, kInvalid (not
// UTF-8).
Result<std::string> read_utf8_file(const std::string& path);

// The prompt of `run`: the words given, else the files, else stdin; "-" is stdin. Files given beside words
// are put in front of them, each under its name. Errors: also kInvalid when there is nothing but white space.
Result<std::string> read_prompt(const std::optional<std::string>& words,
                                const std::vector<std::string>& files);

}  // namespace ink::cli
