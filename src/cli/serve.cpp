// `inkstone serve`: its flags, and the way to the program that does it (src/serve).
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/commands.h"
#include "cli/output.h"
#include "services/process/child.h"

namespace ink::cli {

int hand_over(const std::string& program, const std::vector<std::string>& arguments) {
  const std::string path = program_beside_ours(program);
  std::vector<std::string> words = {path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv(path.c_str(), pointers.data());
  return report({errno == ENOENT ? ErrorKind::kNotFound : ErrorKind::kIo, path, "", std::strerror(errno),
                 "it is built and installed beside inkstone"});
}

void add_serve_command(CLI::App& program, Action& action,
                       const std::function<int(const ServeFlags&)>& serve) {
  Command command(program, "serve", "Answer other programs, and show the page, on this device");
  auto flags = std::make_shared<ServeFlags>();
  add_serve_flags(command, *flags);
  command.runs(action, [flags, serve] { return serve(*flags); });
}

}  // namespace ink::cli
