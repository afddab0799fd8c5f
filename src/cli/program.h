// The program `inkstone`: reads the command line and runs one command.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace ink::cli {

// All commands and their flags; `action` is set by the parse. `arguments` are the program's, for a command
// that hands them on. For run_program and for tests.
std::unique_ptr<CLI::App> make_program(Action& action, const std::vector<std::string>& arguments = {});

// Parses argv (llama.cpp's -sys included). Help and version are printed. Returns an exit code when there is
// nothing left to do, else sets `action`.
std::optional<int> parse_command_line(CLI::App& program, std::vector<std::string> arguments);

// At the end of a program: ends the children that there still are. Where a tool that hangs still runs on its
// thread, the program ends here, too: the tool must not see it being taken down around it. What was written
// has to be flushed before.
void leave_hanging_calls(int code);

}  // namespace ink::cli

namespace ink {

// The whole program; gives its exit code. Nothing is thrown out of it.
int run_program(int argc, char** argv);

}  // namespace ink
