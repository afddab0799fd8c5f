// Ctrl-C. While an InterruptScope lives, SIGINT only sets a flag that the running work looks at, and wakes
// wait_for_input. Outside of one, Ctrl-C ends the program as usual. A flag alone would not do for waiting: a
// signal that comes just before read() begins, or that another thread takes, interrupts nothing. So the
// handler also writes to a pipe.
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

// Waits until the descriptor can be read (or is at its end): true; or until Ctrl-C: false.
bool wait_for_input(int descriptor);

}  // namespace ink::cli
