// Waits for what is due and fires it. Sleeps in the kernel until the next instant: timers on the clock that
// counts elapsed time, alarms on the wall clock with a wake-up when somebody sets it, and a change of the
// database by another process wakes too. One process watches at a time (a lock on watch.lock in the state
// folder); the lock ends with the process, so a kill -9 leaves nothing behind.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "services/assistant/state.h"

namespace ink::assistant {

// The right to fire. Movable; ends with the object.
class WatchLock {
 public:
  enum class Manner {
    kInFront,   // somebody looks at it: takes over from a detached watcher
    kDetached,  // started by `ask`: stands back for whoever watches already
  };
  // Nothing when another process has it (and, in front, when that one is not detached). Errors: kIo.
  static Result<WatchLock> take(const std::filesystem::path& folder, Manner manner);
  ~WatchLock();
  WatchLock(WatchLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  WatchLock& operator=(WatchLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  bool held() const { return descriptor_ >= 0; }

 private:
  explicit WatchLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

class Watch {
 public:
  using Announce = std::function<void(const Fired&)>;
  using Log = std::function<void(const std::string&)>;

  Watch(std::shared_ptr<State> state, Announce announce, Log log);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Until stop(), or, with `until_idle`, until nothing waits any more. Faults of the disk are logged and
  // tried again; what is due is then announced all the same, once.
  void run(bool until_idle);
  void stop();  // from any thread

  // One look: fires what is due. Gives whether anything with an instant still waits. For run and for tests.
  bool look();

 private:
  struct Next {
    std::optional<int64_t> boot_ms;  // instants of the two clocks
    std::optional<int64_t> wall_ms;
  };
  void fire_without_record();
  void announce_once(const Fired& fired);
  void set_alarm_clocks();
  void sleep();

  std::shared_ptr<State> state_;
  Announce announce_;
  Log log_;
  Next next_;
  std::set<std::string> announced_;  // what could not be recorded when it was announced
  int boot_timer_ = -1, wall_timer_ = -1, changes_ = -1, wake_ = -1;
  bool stopped_ = false;
  size_t looks_left_ = 0;  // after a change, until it has certainly been read
};

}  // namespace ink::assistant
