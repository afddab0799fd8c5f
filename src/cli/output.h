// What the program says and how it ends: answers on stdout, everything else on stderr, one line per error,
// and an exit code for every kind of failure (docs/commands.md lists them). A reader that goes away (| head)
// ends the program quietly; a full disk is an error.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ink::cli {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,       // what was asked for did not hold: verify found a difference
  kUsage = 2,        // the command line itself is wrong
  kNotFound = 3,     // no such file, model, tokenizer
  kInvalid = 4,      // a damaged file, a prompt that is not text
  kUnsupported = 5,  // well-formed, but not something we run
  kTooLarge = 6,     // memory or context
  kIo = 7,           // the system refused: permissions, full disk
  kInterrupted = 130,
};
int exit_code(ErrorKind kind);

// "inkstone: error: …" on stderr, always one line; returns the exit code for the error. What is invalid about
// a flag
// (`where` begins with "--") is a wrong command line.
int report(const Error& error);
// "inkstone: note: …" on stderr.
void note(std::string_view text);

bool stdout_is_terminal();
bool stderr_is_terminal();

// Text as it may be shown on a terminal: control characters (but \n and \t) become U+FFFD, so that neither a
// model's answer nor a file name can move the cursor or worse.
std::string printable(std::string_view text);

// stdout. Written through to the system at flush(); nothing throws, failures are remembered.
class Output {
 public:
  void write(std::string_view text);   // as it is, for pipes and files; made printable on a terminal
  void write_json(const Json& value);  // one line; bytes that are not UTF-8 become U+FFFD
  void style(std::string_view escape_sequence);  // only on a terminal
  void flush();
  bool failed() const { return closed_ || error_ != 0; }  // further output is pointless
  bool at_line_start() const { return at_line_start_; }
  void end_line();  // a newline unless the line is empty

  // Flushes and turns `code` into the program's exit code: 7 with an error line when writing failed.
  int finish(int code);

 private:
  void put(std::string_view text);
  std::string buffer_;
  bool at_line_start_ = true;
  bool closed_ = false;  // the reader went away
  int error_ = 0;        // errno of the first other failure
};
Output& output();

}  // namespace ink::cli
