// See cli/watching.h, and `inkstone watch` at the end.
#include "cli/watching.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "cli/assistant_setup.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "services/assistant/device/bus.h"
#include "services/assistant/device/desktop.h"
#include "services/assistant/time/announce.h"
#include "services/assistant/time/calendar.h"

namespace ink::cli {
namespace {

struct WatchFlags {
  bool until_idle = false;
};

int watch(const WatchFlags& flags) {
  using Manner = assistant::WatchLock::Manner;
  const auto state = assistant_state();
  if (const auto opened = state->database(); !opened.ok()) return report(opened.error());
  const auto lock =
      assistant::WatchLock::take(state->folder(), flags.until_idle ? Manner::kDetached : Manner::kInFront);
  if (!lock.ok()) return report(lock.error());
  if (!lock->held()) {
    if (flags.until_idle) return kOk;
    return report({ErrorKind::kIo, "watch", "to be the only one", "another process that watches", ""});
  }
  // A watcher that was left behind has no stdout; it may still have the terminal it was started from.
  const int descriptor = flags.until_idle ? STDERR_FILENO : STDOUT_FILENO;
  assistant::Watch watch(
      state, [&](const assistant::Fired& fired) { announce(fired, descriptor); },
      [](const std::string& line) { note(line); });
  watch.run(flags.until_idle);
  return kOk;
}

}  // namespace

void announce(const assistant::Fired& fired, int descriptor) {
  const std::string text = printable(assistant::announcement(fired, fired.fired_ms));
  const bool is_terminal = ::isatty(descriptor) == 1;
  const std::string line = (is_terminal ? "\a\r" : "") +
                           assistant::date_text(assistant::date_of(fired.fired_ms)) + " " +
                           assistant::time_of(fired.fired_ms) + "  " + text + "\n";
  // One write: it may come between what another thread writes, but not inside of it.
  [[maybe_unused]] const auto written = ::write(descriptor, line.data(), line.size());
  if (const auto bus = assistant::Bus::open()) bus->notify("Inkstone", text);
}

void leave_watcher(const std::shared_ptr<assistant::State>& state) {
  if (!state->begun() || std::getenv("INKSTONE_NO_WATCH") != nullptr) return;
  const auto schedule = state->schedule();
  if (!schedule.ok()) return;
  const auto waiting = (*schedule)->pending();
  if (!waiting.ok()) return;
  const bool any = std::any_of(waiting->begin(), waiting->end(),
                               [](const assistant::Pending& one) { return one.due_ms.has_value(); });
  if (!any) return;
  {
    const auto free = assistant::WatchLock::take(state->folder(), assistant::WatchLock::Manner::kDetached);
    if (!free.ok() || !free->held()) return;
  }
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const bool left = !error && assistant::start_detached({program.string(), "watch", "--until-idle"}, true);
  if (!left) note("nobody watches the timers: inkstone watch");
}

void BackgroundWatch::begin() {
  if (lock_ || !state_->begun() || !state_->database().ok()) return;
  auto lock = assistant::WatchLock::take(state_->folder(), assistant::WatchLock::Manner::kInFront);
  if (!lock.ok() || !lock->held()) return;
  lock_ = std::move(*lock);
  watch_ = std::make_unique<assistant::Watch>(
      state_, [](const assistant::Fired& fired) { announce(fired, STDERR_FILENO); },
      [](const std::string& line) { note(line); });
  // Ctrl-C belongs to the thread that types and generates.
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before);
  thread_ = std::thread([this] { watch_->run(false); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

BackgroundWatch::~BackgroundWatch() {
  if (!thread_.joinable()) return;
  watch_->stop();
  thread_.join();
  lock_.reset();
  leave_watcher(state_);
}

void add_watch_command(CLI::App& program, Action& action) {
  Command command(program, "watch", "Wait for timers, alarms and reminders, and announce them");
  auto flags = std::make_shared<WatchFlags>();
  command.toggle("--until-idle", flags->until_idle,
                 "End when nothing waits any more; what `ask` leaves behind");
  command.runs(action, [flags] { return watch(*flags); });
}

}  // namespace ink::cli
