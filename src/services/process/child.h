// A child process that is spoken to in lines over two pipes: inkstone-connect, and MCP servers that run on
// this device. It never outlives this object: its input is closed first, then it is asked to end, then it is
// ended. Easy to get wrong: a secret belongs into a line, never into the arguments, which everybody can read.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"

namespace ink {

// The path of one of our other programs: they are installed and built beside the running one. Only the name,
// to be looked for on PATH, where the system does not say what runs.
std::string program_beside_ours(const std::string& name);

// Ends all children at once, without asking: for the end of a process. Threads that it does not wait for may
// still have some.
void kill_children();

class Child {
 public:
  using Clock = std::chrono::steady_clock;

  struct Command {
    std::vector<std::string> arguments;  // the program first; looked for on PATH unless it has a /
    std::map<std::string, std::string> environment;  // added to ours
    std::string folder;                              // to start in; empty: ours
    int64_t max_line_bytes = int64_t{32} << 20;
  };

  // Its stderr is thrown away, unless errors_shown. Errors: kInvalid for an empty command, kNotFound when
  // there is no such program, kIo.
  static Result<std::unique_ptr<Child>> start(const Command& command, bool errors_shown);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Without the line break; a break inside of the line would be two lines and is our mistake. Errors: kIo
  // when it is gone, or does not read until the deadline.
  Status write_line(const std::string& line, Clock::time_point deadline);

  // The next line without its break; nothing at the deadline or when stop is asked for. Errors: kIo when it
  // has ended, kTooLarge for a line over the limit.
  Result<std::optional<std::string>> read_line(Clock::time_point deadline, const std::stop_token& stop = {});

 private:
  Child(int process, int input, int output, int64_t max_line_bytes)
      : process_(process), input_(input), output_(output), max_line_bytes_(max_line_bytes) {}
  bool ended_within(std::chrono::milliseconds patience);

  int process_;
  int input_;   // what we write
  int output_;  // what we read
  int64_t max_line_bytes_;
  std::string pending_;  // read, and not yet a line
  size_t scanned_ = 0;   // of it, without a break
};

}  // namespace ink
