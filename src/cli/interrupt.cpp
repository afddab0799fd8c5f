// See cli/interrupt.h.
#include "cli/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "cli/output.h"

namespace ink::cli {
namespace {

std::atomic<int> presses{0};
std::atomic<bool> ends_at_second{false};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");
int wake_pipe[2] = {-1, -1};  // made once, never closed: the handler may run at any time

void on_interrupt(int) {
  const int before = errno;
  if (presses.fetch_add(1) >= 1 && ends_at_second.load()) ::_exit(kInterrupted);
  [[maybe_unused]] const auto written = ::write(wake_pipe[1], "", 1);  // when it is full it wakes anyway
  errno = before;
}

void drain_pipe() {
  char bytes[64];
  while (::read(wake_pipe[0], bytes, sizeof bytes) > 0) continue;
}

}  // namespace

InterruptScope::InterruptScope(bool impatient) {
  // Without a pipe (no descriptors left) Ctrl-C still sets the flag.
  if (wake_pipe[0] < 0 && ::pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) wake_pipe[0] = wake_pipe[1] = -1;
  clear_interrupt();
  ends_at_second = impatient;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;
  sigaction(SIGINT, &action, &old_);
}

InterruptScope::~InterruptScope() { sigaction(SIGINT, &old_, nullptr); }

bool interrupted() { return presses.load() > 0; }

void clear_interrupt() {
  presses = 0;
  if (wake_pipe[0] >= 0) drain_pipe();
}

bool wait_for_input(int descriptor) {
  pollfd waiting[2] = {{descriptor, POLLIN, 0}, {wake_pipe[0], POLLIN, 0}};  // poll passes over -1
  while (!interrupted()) {
    const int ready = ::poll(waiting, 2, -1);
    if (ready < 0 && errno != EINTR) return true;  // read() will tell what is wrong
    if (ready > 0 && waiting[0].revents != 0 && !interrupted()) return true;
  }
  return false;
}

}  // namespace ink::cli
