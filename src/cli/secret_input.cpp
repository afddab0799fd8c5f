// See cli/secret_input.h. The terminal gets its echo back however the line ends, also after Ctrl-C.
#include "cli/secret_input.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>

#include "base/utf8.h"
#include "cli/interrupt.h"
#include "cli/prompt_text.h"

namespace ink::cli {
namespace {

constexpr size_t kMostCharacters = 4096;

void say(const std::string& text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

class WithoutEcho {
 public:
  WithoutEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    works_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~WithoutEcho() {
    if (works_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  bool works() const { return works_; }

 private:
  termios before_{};
  bool works_ = false;
};

Result<std::string> read_typed(const std::string& question) {
  const InterruptScope ctrl_c(true);
  const WithoutEcho silence;
  if (!silence.works()) return Error{ErrorKind::kIo, "terminal", "", "it cannot hide what is typed", ""};
  say(question);
  std::string line;
  while (true) {
    if (!wait_for_input(STDIN_FILENO)) {
      say("\n");
      return Error{ErrorKind::kCancelled, "key", "", "interrupted", ""};
    }
    char c = 0;
    if (::read(STDIN_FILENO, &c, 1) != 1 || c == '\n') break;
    line += c;
  }
  say("\n");
  return line;
}

}  // namespace

Result<std::string> read_secret_input(const std::string& question) {
  auto text = ::isatty(STDIN_FILENO) == 1 ? read_typed(question) : read_stdin();
  if (!text.ok()) return text.error();
  std::string key(trimmed(text->substr(0, text->find('\n'))));
  if (key.empty())
    return Error{ErrorKind::kInvalid, "key", "a line with it", "nothing", "type it, or pipe it in"};
  const bool right = key.size() <= kMostCharacters &&
                     std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!right)
    return Error{ErrorKind::kInvalid, "key", "letters, digits and signs without blanks", "something else",
                 ""};
  return key;
}

}  // namespace ink::cli
