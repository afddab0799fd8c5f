// See cli/output.h.
#include "cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/utf8.h"

namespace ink::cli {
namespace {

constexpr size_t kBufferBytes = 1 << 16;

void write_stderr(std::string_view prefix, std::string_view text) {
  std::string line(prefix);
  for (const char c : printable(text)) {
    if (c == '\n')
      line += "; ";
    else
      line += c;
  }
  line += '\n';
  // Nothing can be done when even this fails.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return kInvalid;
    case ErrorKind::kNotFound:
      return kNotFound;
    case ErrorKind::kUnsupported:
      return kUnsupported;
    case ErrorKind::kTooLarge:
      return kTooLarge;
    case ErrorKind::kIo:
      return kIo;
    case ErrorKind::kCancelled:
      return kInterrupted;
  }
  return kFailed;
}

int report(const Error& error) {
  write_stderr("inkstone: error: ", error.message());
  if (error.kind == ErrorKind::kInvalid && error.where.starts_with("--")) return kUsage;
  return exit_code(error.kind);
}

void note(std::string_view text) { write_stderr("inkstone: note: ", text); }

bool stdout_is_terminal() {
  static const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  return is_terminal;
}

bool stderr_is_terminal() {
  static const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  return is_terminal;
}

std::string printable(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char character = decode_utf8(text, i);
    const auto size = static_cast<size_t>(character.size_bytes);
    const char32_t c = character.code_point;
    const bool is_control = size == 0 || (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0);
    if (is_control)
      append_utf8(result, 0xfffd);
    else
      result.append(text, i, size);
    i += size == 0 ? 1 : size;
  }
  return result;
}

void Output::put(std::string_view text) {
  if (text.empty() || failed()) return;
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) flush();
}

void Output::write(std::string_view text) {
  if (text.empty()) return;
  at_line_start_ = text.back() == '\n';
  if (stdout_is_terminal())
    put(printable(text));
  else
    put(text);
}

void Output::write_json(const Json& value) {
  write(json_text(value));
  write("\n");
}

void Output::style(std::string_view escape_sequence) {
  if (stdout_is_terminal()) put(escape_sequence);
}

void Output::end_line() {
  if (!at_line_start_) write("\n");
}

void Output::flush() {
  size_t done = 0;
  while (done < buffer_.size() && !failed()) {
    const ssize_t written = ::write(STDOUT_FILENO, buffer_.data() + done, buffer_.size() - done);
    if (written >= 0) {
      done += static_cast<size_t>(written);
    } else if (errno == EPIPE) {
      closed_ = true;
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  buffer_.clear();
}

int Output::finish(int code) {
  flush();
  if (error_ == 0) return closed_ ? static_cast<int>(kOk) : code;
  return report({ErrorKind::kIo, "stdout", "", std::strerror(error_), ""});
}

Output& output() {
  static Output the_output;
  return the_output;
}

}  // namespace ink::cli
