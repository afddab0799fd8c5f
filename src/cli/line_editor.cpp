// See cli/line_editor.h. libedit's own reader goes back to reading when a signal interrupts it, so characters
// are read here (cli/interrupt.h): then Ctrl-C comes through.
#include "cli/line_editor.h"

#include <fcntl.h>
#include <histedit.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <cwchar>

#include "base/utf8.h"
#include "cli/interrupt.h"
#include "cli/output.h"

namespace ink::cli {
namespace {

namespace fs = std::filesystem;
constexpr int kHistoryLines = 1000;

// One character from stdin; 1, 0 at the end, -1 on Ctrl-C or an error.
int read_character(EditLine*, wchar_t* character) {
  std::string bytes;
  for (;;) {
    if (!wait_for_input(STDIN_FILENO)) return -1;
    char byte = 0;
    const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
    if (count == 0) return 0;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    bytes += byte;
    const Utf8Char decoded = decode_utf8(bytes, 0);
    if (decoded.size_bytes > 0) {
      *character = static_cast<wchar_t>(decoded.code_point);
      return 1;
    }
    if (whole_characters(bytes) == bytes.size()) {  // can never become a character
      *character = L'\xfffd';
      return 1;
    }
  }
}

char* show_prompt(EditLine* edit) {
  void* prompt = nullptr;
  el_get(edit, EL_CLIENTDATA, &prompt);
  return static_cast<std::string*>(prompt)->data();
}

}  // namespace

struct LineEditor::Editing {
  fs::path file;
  std::string prompt;
  History* history = history_init();
  EditLine* edit = el_init("inkstone", stdin, stdout, stderr);

  explicit Editing(fs::path history_file) : file(std::move(history_file)) {
    HistEvent event;
    ::history(history, &event, H_SETSIZE, kHistoryLines);
    ::history(history, &event, H_SETUNIQUE, 1);
    if (!file.empty()) ::history(history, &event, H_LOAD, file.c_str());
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_SIGNAL, 0);
    el_set(edit, EL_CLIENTDATA, &prompt);
    el_set(edit, EL_PROMPT, show_prompt);
    el_set(edit, EL_HIST, ::history, history);
    el_wset(edit, EL_GETCFN, read_character);
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  }
  ~Editing() {
    if (!file.empty()) save();
    el_end(edit);
    history_end(history);
  }
  Editing(const Editing&) = delete;
  Editing& operator=(const Editing&) = delete;

  // Written beside and renamed, so that two chats at once lose lines but never damage the file.
  void save() {
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    ::chmod(file.parent_path().c_str(), S_IRWXU);
    const std::string written = file.string() + ".new";
    const int descriptor =
        ::open(written.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0) {
      note("the history was not kept: " + file.string() + ": " + std::strerror(errno));
      return;
    }
    ::close(descriptor);
    HistEvent event;
    if (::history(history, &event, H_SAVE, written.c_str()) >= 0)
      fs::rename(written, file, error);
    else
      fs::remove(written, error);
  }

  void remember(const std::string& line) {
    HistEvent event;
    if (line.find_first_not_of(" \t") != std::string::npos) ::history(history, &event, H_ENTER, line.c_str());
  }
};

LineEditor::LineEditor(fs::path history_file) {
  if (::isatty(STDIN_FILENO) == 1) editing_ = std::make_unique<Editing>(std::move(history_file));
}

LineEditor::~LineEditor() = default;

TypedLine LineEditor::read(const std::string& prompt) {
  if (editing_ == nullptr) return read_plain();
  editing_->prompt = prompt;
  el_resize(editing_->edit);  // the window may have changed since
  // Raw before the prompt appears: a Ctrl-D typed in between would otherwise be lost in the terminal's own
  // line mode.
  el_set(editing_->edit, EL_PREP_TERM, 1);
  int count = 0;
  const char* line = el_gets(editing_->edit, &count);
  if (line == nullptr || count <= 0) {
    if (!interrupted()) return {TypedLine::Kind::kEnd, "", true};
    clear_interrupt();
    const LineInfo* info = el_line(editing_->edit);
    return {TypedLine::Kind::kInterrupted, "", info->lastchar == info->buffer};
  }
  std::string text = line;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  editing_->remember(text);
  return {TypedLine::Kind::kText, text, false};
}

TypedLine LineEditor::read_plain() {
  for (;;) {
    const size_t end = unread_.find('\n');
    if (end != std::string::npos || (at_end_ && !unread_.empty())) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end == std::string::npos ? end : end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return {TypedLine::Kind::kText, line, false};
    }
    if (at_end_) return {TypedLine::Kind::kEnd, "", true};
    if (!wait_for_input(STDIN_FILENO)) {
      clear_interrupt();
      return {TypedLine::Kind::kInterrupted, "", unread_.empty()};
    }
    char block[4096];
    const ssize_t count = ::read(STDIN_FILENO, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count > 0)
      unread_.append(block, static_cast<size_t>(count));
    else
      at_end_ = true;
  }
}

}  // namespace ink::cli
