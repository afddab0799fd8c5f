// See services/assistant/time/watch.h.
#include "services/assistant/time/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <thread>

namespace ink::assistant {
namespace {

constexpr int kRetryMs = 5000;           // after a fault of the disk, and where changes cannot be watched
constexpr int kLongestSleepMs = 60'000;  // so that no fault of a clock is waited out for ever
// A change is seen when another process begins to write; what it writes can be read when it is done. So we
// look again, from the last of these waits to the first.
constexpr int kLookAgainMs[] = {5000, 500, 50};
constexpr std::chrono::milliseconds kTakeOver{2000};

// "1234 detached": who watches, for the one who would like to.
std::string read_owner(int descriptor) {
  char text[64] = {};
  const ssize_t count = ::pread(descriptor, text, sizeof text - 1, 0);
  return count > 0 ? std::string(text, static_cast<size_t>(count)) : "";
}

bool try_lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0; }

// Asks a detached watcher to end and waits for its lock.
bool take_over(int descriptor) {
  const std::string owner = read_owner(descriptor);
  const int process = std::atoi(owner.c_str());
  if (process <= 1 || owner.find("detached") == std::string::npos) return false;
  ::kill(process, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kTakeOver;
  while (std::chrono::steady_clock::now() < deadline) {
    if (try_lock(descriptor)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

void set_timer(int timer, std::optional<int64_t> at_ms, int flags) {
  itimerspec when{};
  if (at_ms) {
    const int64_t at = std::max<int64_t>(*at_ms, 1);  // all zero would switch it off
    when.it_value.tv_sec = static_cast<time_t>(at / 1000);
    when.it_value.tv_nsec = static_cast<long>(at % 1000) * 1'000'000;
  }
  timerfd_settime(timer, TFD_TIMER_ABSTIME | flags, &when, nullptr);
}

void drain(int descriptor) {
  char bytes[4096];
  while (::read(descriptor, bytes, sizeof bytes) > 0) continue;
}

void keep_earliest(std::optional<int64_t>& earliest, int64_t at) {
  if (!earliest || at < *earliest) earliest = at;
}

}  // namespace

Result<WatchLock> WatchLock::take(const std::filesystem::path& folder, Manner manner) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string file = (folder / "watch.lock").string();
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return Error{ErrorKind::kIo, file, "", std::strerror(errno), "INKSTONE_HOME names another folder"};
  if (!try_lock(descriptor) && !(manner == Manner::kInFront && take_over(descriptor))) {
    ::close(descriptor);
    return WatchLock(-1);
  }
  const std::string owner = std::to_string(::getpid()) + (manner == Manner::kDetached ? " detached\n" : "\n");
  if (::ftruncate(descriptor, 0) == 0) {
    // Who it is matters only to somebody who wants to take over; without it nobody does.
    [[maybe_unused]] const auto written = ::pwrite(descriptor, owner.data(), owner.size(), 0);
  }
  return WatchLock(descriptor);
}

WatchLock::~WatchLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Watch::Watch(std::shared_ptr<State> state, Announce announce, Log log)
    : state_(std::move(state)), announce_(std::move(announce)), log_(std::move(log)) {
  boot_timer_ = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  wall_timer_ = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  changes_ = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (changes_ >= 0 && inotify_add_watch(changes_, state_->folder().c_str(),
                                         IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO) < 0) {
    ::close(changes_);
    changes_ = -1;
  }
}

Watch::~Watch() {
  for (const int descriptor : {boot_timer_, wall_timer_, changes_, wake_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

void Watch::run(bool until_idle) {
  while (!stopped_) {
    const bool waiting = look();
    if (until_idle && !waiting) return;
    set_alarm_clocks();
    sleep();
  }
}

void Watch::stop() {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

bool Watch::look() {
  next_ = {};
  const auto schedule = state_->schedule();
  if (!schedule.ok()) {
    log_(schedule.error().message());
    return true;
  }
  const auto due = (*schedule)->take_due();
  if (due.ok()) {
    for (const auto& fired : *due) announce_once(fired);
    announced_.clear();
  } else {
    log_(due.error().message());
    fire_without_record();
  }
  const auto waiting = (*schedule)->pending();
  if (!waiting.ok()) return true;
  bool any = false;
  for (const auto& one : *waiting) {
    if (!one.due_ms) continue;
    any = true;
    if (one.kind == "timer")
      keep_earliest(next_.boot_ms, state_->clock().boot_ms() + one.remaining_ms);
    else
      keep_earliest(next_.wall_ms, *one.due_ms);
  }
  return any;
}

// The disk takes no record now. Silence would be worse than saying it again after a crash.
void Watch::fire_without_record() {
  const auto schedule = state_->schedule();
  if (!schedule.ok()) return;
  const auto waiting = (*schedule)->pending();
  if (!waiting.ok()) return;
  const int64_t now = state_->clock().wall_ms();
  for (const auto& one : *waiting) {
    if (one.remaining_ms > 0 || !one.due_ms) continue;
    const std::string key = std::to_string(one.id);
    if (!announced_.insert(key).second) continue;
    announce_(
        {one.id, one.kind, one.label, one.voice, *one.due_ms, now, one.remaining_ms < -Schedule::kLateMs});
  }
}

void Watch::announce_once(const Fired& fired) {
  if (announced_.count(std::to_string(fired.id)) == 0) announce_(fired);
}

void Watch::set_alarm_clocks() {
  set_timer(boot_timer_, next_.boot_ms, 0);
  // Even with nothing to wait for: a far instant, so that a change of the wall clock wakes us.
  const int64_t far = state_->clock().wall_ms() + int64_t{365} * 24 * 3600 * 1000;
  set_timer(wall_timer_, next_.wall_ms.value_or(far), TFD_TIMER_CANCEL_ON_SET);
}

void Watch::sleep() {
  pollfd waiting[4] = {
      {boot_timer_, POLLIN, 0}, {wall_timer_, POLLIN, 0}, {changes_, POLLIN, 0}, {wake_, POLLIN, 0}};
  const bool blind = changes_ < 0 || !announced_.empty();
  const int longest_ms = looks_left_ > 0 ? kLookAgainMs[--looks_left_] : blind ? kRetryMs : kLongestSleepMs;
  ::poll(waiting, 4, longest_ms);
  if (waiting[2].revents != 0) looks_left_ = std::size(kLookAgainMs);
  if (waiting[3].revents != 0) stopped_ = true;
  for (const auto& one : waiting) {
    if (one.fd >= 0 && one.revents != 0) drain(one.fd);
  }
}

}  // namespace ink::assistant
