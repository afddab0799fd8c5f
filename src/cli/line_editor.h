// Lines typed by a person: edited with libedit on a terminal, with a history that stays on this machine; read
// plainly where stdin is not a terminal. A Ctrl-C while typing throws the line away and is reported, it never
// ends the program.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace ink::cli {

struct TypedLine {
  enum class Kind { kText, kEnd, kInterrupted } kind = Kind::kText;
  std::string text;        // without the line break
  bool was_empty = false;  // kInterrupted: nothing had been typed
};

class LineEditor {
 public:
  // history_file: empty for none. The file and its folder are made readable for their owner only.
  explicit LineEditor(std::filesystem::path history_file);
  ~LineEditor();

  // Needs an InterruptScope around it. The prompt is shown on a terminal only.
  TypedLine read(const std::string& prompt);
  bool on_terminal() const { return editing_ != nullptr; }

 private:
  struct Editing;
  TypedLine read_plain();

  std::unique_ptr<Editing> editing_;  // null where stdin is not a terminal
  std::string unread_;                // from stdin, not yet given out
  bool at_end_ = false;
};

}  // namespace ink::cli
