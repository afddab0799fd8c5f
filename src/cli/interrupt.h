// Ctrl-C. While an InterruptScope lives, SIGINT only sets a flag that the running work looks at, and system
// calls that wait are interrupted (no SA_RESTART: the line editor's read has to return). Outside of one,
// Ctrl-C ends the program as usual.
#pragma once

#include <csignal>

namespace ink::cli {

class InterruptScope {
 public:
  // impatient: a second Ctrl-C before the first was answered ends the program at once, for work that looks
  // rarely.
  explicit InterruptScope(bool impatient);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

 private:
  struct sigaction old_ {};
};

bool interrupted();
void clear_interrupt();

}  // namespace ink::cli
