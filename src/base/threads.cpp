// See base/threads.h. Regions are numbered: a worker that saw number n waits for a number other than n. Both
// waits spin for about 20 µs (shorter than a futex round trip costs a decode step), then sleep in the kernel.
#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/check.h"

namespace ink {
namespace {

constexpr auto kSpin = std::chrono::microseconds(20);

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Waits until `value` is no longer `old`; returns what it became.
template <typename T>
T wait_for_change(const std::atomic<T>& value, T old) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 64; ++i) {
      const T now = value.load(std::memory_order_acquire);
      if (now != old) return now;
      pause_briefly();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  INK_CHECK(threads >= 1, "a pool needs a thread");
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { worker(i); });
}

ThreadPool::~ThreadPool() {
  stopping_.store(true, std::memory_order_relaxed);
  region_.fetch_add(1, std::memory_order_release);
  region_.notify_all();
  for (auto& thread : workers_) thread.join();
}

void ThreadPool::run(int64_t count, int64_t chunk, Function function, void* context) {
  if (count <= 0) return;
  if (workers_.empty() || count <= chunk) {
    function(context, 0, count, 0);
    return;
  }
  function_ = function;
  context_ = context;
  count_ = count;
  chunk_ = std::max<int64_t>(1, chunk);
  cursor_.store(0, std::memory_order_relaxed);
  unfinished_.store(static_cast<int32_t>(workers_.size()), std::memory_order_relaxed);
  region_.fetch_add(1, std::memory_order_release);
  region_.notify_all();
  work_on_chunks(0);
  for (int32_t left = unfinished_.load(std::memory_order_acquire); left != 0;) {
    left = wait_for_change(unfinished_, left);
  }
}

void ThreadPool::work_on_chunks(int thread) {
  for (;;) {
    const int64_t begin = cursor_.fetch_add(chunk_, std::memory_order_relaxed);
    if (begin >= count_) return;
    function_(context_, begin, std::min(begin + chunk_, count_), thread);
  }
}

void ThreadPool::worker(int thread) {
  uint32_t seen = 0;
  for (;;) {
    seen = wait_for_change(region_, seen);
    if (stopping_.load(std::memory_order_relaxed)) return;
    work_on_chunks(thread);
    if (unfinished_.fetch_sub(1, std::memory_order_release) == 1) unfinished_.notify_one();
  }
}

int available_threads() {
  int threads = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) threads = CPU_COUNT(&set);
  // A container's CPU quota: "max 100000" or "<quota> <period>" in microseconds.
  if (std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "re")) {
    long quota = 0;
    long period = 0;
    if (std::fscanf(file, "%ld %ld", &quota, &period) == 2 && quota > 0 && period > 0) {
      threads = std::min(threads, static_cast<int>((quota + period - 1) / period));
    }
    std::fclose(file);
  }
  return std::max(1, threads);
}

}  // namespace ink
