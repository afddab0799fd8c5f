// How the program makes timers fire: in front (`watch`), beside a conversation (`chat`), or by a process of
// its own that `ask` leaves behind and that ends when nothing waits any more.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "services/assistant/time/watch.h"

namespace ink::cli {

// Shows one line and, where there is a desktop, a notification. On a terminal with a bell.
void announce(const assistant::Fired& fired, int descriptor);

// Leaves `inkstone watch --until-idle` behind when something waits and nobody watches.
void leave_watcher(const std::shared_ptr<assistant::State>& state);

// Watches on a thread of its own as long as it lives, if nobody else does.
class BackgroundWatch {
 public:
  explicit BackgroundWatch(std::shared_ptr<assistant::State> state) : state_(std::move(state)) {}
  ~BackgroundWatch();
  // Begins, once there is anything to watch; may be called again and again.
  void begin();
  BackgroundWatch(const BackgroundWatch&) = delete;
  BackgroundWatch& operator=(const BackgroundWatch&) = delete;

 private:
  std::shared_ptr<assistant::State> state_;
  std::optional<assistant::WatchLock> lock_;
  std::unique_ptr<assistant::Watch> watch_;
  std::thread thread_;
};

}  // namespace ink::cli
