// See cli/interrupt.h.
#include "cli/interrupt.h"

#include <unistd.h>

#include <atomic>

#include "cli/output.h"

namespace ink::cli {
namespace {

std::atomic<int> presses{0};
std::atomic<bool> ends_at_second{false};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

void on_interrupt(int) {
  if (presses.fetch_add(1) >= 1 && ends_at_second.load()) ::_exit(kInterrupted);
}

}  // namespace

InterruptScope::InterruptScope(bool impatient) {
  presses = 0;
  ends_at_second = impatient;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;
  sigaction(SIGINT, &action, &old_);
}

InterruptScope::~InterruptScope() { sigaction(SIGINT, &old_, nullptr); }

bool interrupted() { return presses.load() > 0; }
void clear_interrupt() { presses = 0; }

}  // namespace ink::cli
