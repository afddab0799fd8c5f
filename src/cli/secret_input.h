// A key that a person hands over: typed at the terminal without being shown, or from a pipe. Never from the
// command line or the environment, which other programs can read.
#pragma once

#include <string>

#include "base/result.h"

namespace ink::cli {

// One line without blanks around it, printable ASCII, at most 4096 characters. question is shown on a
// terminal. Errors: kInvalid (nothing, or something that is no key), kCancelled (Ctrl-C), kIo.
Result<std::string> read_secret_input(const std::string& question);

}  // namespace ink::cli
