// See server/workers.h.
#include "server/workers.h"

#include <algorithm>

namespace ink::server {

Workers::Workers(size_t most_threads, size_t most_waiting)
    : most_threads_(most_threads), most_waiting_(most_waiting) {}

Workers::~Workers() { stop(); }

uint64_t Workers::add(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return 0;
  // A thread that is idle but not awake yet will take one of those in the line.
  if (line_.size() >= idle_ && threads_.size() < most_threads_) {
    threads_.emplace_back([this] { work(); });
    ++idle_;
  }
  if (line_.size() >= most_waiting_ + idle_) return 0;
  line_.push_back({++last_number_, std::move(job)});
  wake_.notify_one();
  return last_number_;
}

bool Workers::take_back(uint64_t number) {
  std::function<void()> job;  // destroyed outside of the lock
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(line_.begin(), line_.end(),
                                  [&](const Waiting& waiting) { return waiting.number == number; });
  if (found == line_.end()) return false;
  job = std::move(found->job);
  line_.erase(found);
  return true;
}

void Workers::stop() {
  std::deque<Waiting> forgotten;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    forgotten.swap(line_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  while (true) {  // it begins as an idle one
    wake_.wait(lock, [&] { return stopping_ || !line_.empty(); });
    --idle_;
    if (stopping_) return;
    std::function<void()> job = std::move(line_.front().job);
    line_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it holds is let go of outside of the lock
    lock.lock();
    ++idle_;
  }
}

}  // namespace ink::server
