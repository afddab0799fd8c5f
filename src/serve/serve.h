// The server's own program: inkstone-serve, which `inkstone serve` hands over to. It listens and never
// connects to anything, and inkstone itself does neither: both can be seen in the functions that they import.
#pragma once

#include "cli/serve_flags.h"

namespace ink::serve {

// Serves until it is told to stop; gives the exit code.
int serve(const cli::ServeFlags& flags);

}  // namespace ink::serve
