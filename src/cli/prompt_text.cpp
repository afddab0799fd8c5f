// See cli/prompt_text.h.
#include "cli/prompt_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/utf8.h"
#include "cli/options.h"
#include "cli/output.h"

namespace ink::cli {
namespace {

// All that comes from a descriptor: a file, a pipe, a terminal.
Result<std::string> read_all(int descriptor, const std::string& where) {
  std::string text;
  char block[1 << 16];
  for (;;) {
    const ssize_t count = ::read(descriptor, block, sizeof block);
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{ErrorKind::kIo, where, "", std::strerror(errno), ""};
    text.append(block, static_cast<size_t>(count));
    if (text.size() > kMostPromptBytes)
      return Error{ErrorKind::kTooLarge, where, "at most 256 MiB", "more", ""};
  }
  const Status valid = check_utf8(where, text);
  if (!valid.ok()) return valid.error();
  return text;
}

}  // namespace

Result<std::string> read_stdin() {
  if (::isatty(STDIN_FILENO) == 1) note("reading the text from the keyboard; Ctrl-D ends it");
  return read_all(STDIN_FILENO, "stdin");
}

Result<std::string> read_utf8_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return Error{missing ? ErrorKind::kNotFound : ErrorKind::kIo, path, "", std::strerror(errno), ""};
  }
  auto text = read_all(descriptor, path);
  ::close(descriptor);
  return text;
}

Result<std::string> read_prompt(const std::optional<std::string>& words,
                                const std::vector<std::string>& files) {
  std::string text;
  for (const auto& path : files) {
    const auto content = read_utf8_file(path);
    if (!content.ok()) return content.error();
    if (words) text += std::filesystem::path(path).filename().string() + ":\n\n";
    text += *content;
    if (words && !text.ends_with('\n')) text += '\n';
    if (words) text += '\n';
  }
  if (words && *words != "-") {
    const Status valid = check_utf8("prompt", *words);
    if (!valid.ok()) return valid.error();
    text += *words;
  } else if (words || files.empty()) {
    const auto input = read_stdin();
    if (!input.ok()) return input.error();
    text += *input;
  }
  if (trimmed(text).empty())
    return Error{ErrorKind::kInvalid, "prompt", "text", "an empty prompt",
                 "inkstone run \"turn on the light\""};
  return text;
}

}  // namespace ink::cli
