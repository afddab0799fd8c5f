// inkstone-connect: the only part of Inkstone that can open a connection, a process of its own that the
// assistant starts when a person has configured a server (a Home Assistant, an MCP server) and that ends with
// it. It can reach the addresses on its command line and nothing else: `ps` shows what it may reach, and the
// tokens, which come by a pipe, are not there. inkstone itself imports no function that opens a connection.
#include <csignal>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>

#include <unistd.h>

#include "connect/connector.h"

int main(int count, char** arguments) {
  std::set<std::string> allowed;
  for (int i = 1; i < count; i++) {
    const std::string_view argument = arguments[i];
    if (argument.starts_with('-')) {
      std::fputs(
          "usage: inkstone-connect HOST:PORT…\nStarted by inkstone; speaks JSON lines on stdin and stdout.\n",
          stderr);
      return argument == "--help" ? 0 : 2;
    }
    allowed.emplace(argument);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);  // Ctrl-C is the parent's: it says what is to end
  ink::connect::Connector(std::move(allowed), STDIN_FILENO, STDOUT_FILENO).run();
  return 0;
}
