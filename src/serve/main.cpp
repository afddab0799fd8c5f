// inkstone-serve: takes the command line of `inkstone serve`, with that word first.
#include <CLI/CLI.hpp>
#include <csignal>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/program.h"
#include "serve/serve.h"

int main(int argc, char** argv) {
  namespace cli = ink::cli;
  std::signal(SIGPIPE, SIG_IGN);  // a client that has gone is seen as an error of a write
  cli::Action action;
  CLI::App program("Inkstone's server", "inkstone");
  cli::add_serve_command(program, action, ink::serve::serve);
  if (const auto code = cli::parse_command_line(program, {argv + 1, argv + argc})) return *code;
  return cli::output().finish(action());
}
