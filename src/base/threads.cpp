// See base/threads.h. One word tells all about the current region: its number, whether it is open, and how
// many workers are inside. A worker enters an open region by adding itself; the caller closes it once nothing
// is left to hand out, and waits only for those inside. Both waits spin for 50 µs, then sleep in the kernel:
// a worker then sleeps once a token instead of nine times with 20 µs, and each time costs about as much. The
// word has 32 bits because that is what the kernel can wait on.
#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/check.h"

namespace ink {
namespace {

constexpr auto kSpin = std::chrono::microseconds(50);

constexpr uint32_t kInside = 0xfff;     // bits that count the workers inside
constexpr uint32_t kOpen = 0x1000;      // this bit: workers may enter
constexpr uint32_t kNumber = ~0x1fffu;  // the rest numbers the regions; wrapping around does no harm
constexpr uint32_t kNextNumber = 0x2000;

constexpr uint64_t range(uint64_t begin, uint64_t end) { return begin << 32 | end; }
constexpr uint64_t begin_of(uint64_t range) { return range >> 32; }
constexpr uint64_t end_of(uint64_t range) { return range & UINT32_MAX; }

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

ThreadPool::ThreadPool(int threads) : shares_(static_cast<size_t>(std::max(threads, 1))) {
  INK_CHECK(threads >= 1 && threads <= static_cast<int>(kInside), "a pool has 1 to 4095 threads");
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { worker(i); });
}

ThreadPool::~ThreadPool() {
  stopping_.store(true, std::memory_order_relaxed);
  region_.fetch_add(kNextNumber, std::memory_order_release);
  region_.notify_all();
  for (auto& thread : workers_) thread.join();
}

void ThreadPool::run(int64_t count, int64_t worth_a_thread, Function function, void* context) {
  if (count <= 0) return;
  INK_CHECK(count <= int64_t{UINT32_MAX}, "a region has fewer than 2^32 items");
  if (workers_.empty() || count <= worth_a_thread) {
    function(context, 0, count, 0);
    return;
  }
  function_ = function;
  context_ = context;
  least_piece_ = static_cast<uint64_t>(std::max<int64_t>(1, worth_a_thread / 8));
  const auto items = static_cast<uint64_t>(count);
  for (size_t i = 0; i < shares_.size(); ++i) {
    const uint64_t begin = items * i / shares_.size();
    shares_[i].items.store(range(begin, items * (i + 1) / shares_.size()), std::memory_order_relaxed);
  }
  const uint32_t number = (region_.load(std::memory_order_relaxed) + kNextNumber) & kNumber;
  region_.store(number | kOpen, std::memory_order_release);
  region_.notify_all();
  work_on_pieces(0);
  uint32_t now = region_.fetch_and(~kOpen, std::memory_order_acquire) & ~kOpen;
  while ((now & kInside) != 0) now = wait_for_change(region_, now);
}

void ThreadPool::work_on_pieces(int thread) {
  do {
    while (work_on_own_piece(thread)) {
    }
  } while (take_from_another(thread));
}

// Whether anything was left of the thread's share.
bool ThreadPool::work_on_own_piece(int thread) {
  std::atomic<uint64_t>& items = shares_[static_cast<size_t>(thread)].items;
  uint64_t now = items.load(std::memory_order_relaxed);
  while (begin_of(now) < end_of(now)) {
    const uint64_t left = end_of(now) - begin_of(now);
    const uint64_t end = begin_of(now) + std::min(left, std::max(left / 4, least_piece_));
    if (!items.compare_exchange_weak(now, range(end, end_of(now)), std::memory_order_relaxed)) continue;
    function_(context_, static_cast<int64_t>(begin_of(now)), static_cast<int64_t>(end), thread);
    return true;
  }
  return false;
}

// Makes the second half of another's share the thread's own, or all of it where no more than a piece is left;
// false: nobody has anything. Only its thread puts items into an empty share, so that this store meets no
// other.
bool ThreadPool::take_from_another(int thread) {
  for (int i = 1; i < size(); ++i) {
    std::atomic<uint64_t>& items = shares_[static_cast<size_t>((thread + i) % size())].items;
    uint64_t now = items.load(std::memory_order_relaxed);
    while (begin_of(now) < end_of(now)) {
      const uint64_t left = end_of(now) - begin_of(now);
      const uint64_t middle = begin_of(now) + (left > least_piece_ ? left / 2 : 0);
      if (!items.compare_exchange_weak(now, range(begin_of(now), middle), std::memory_order_relaxed))
        continue;
      shares_[static_cast<size_t>(thread)].items.store(range(middle, end_of(now)), std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

void ThreadPool::worker(int thread) {
  uint32_t seen = 0;  // the region that this worker last looked at
  for (;;) {
    uint32_t now = region_.load(std::memory_order_acquire);
    while ((now & kNumber) == seen) {
      if (stopping_.load(std::memory_order_relaxed)) return;
      now = wait_for_change(region_, now);
    }
    seen = now & kNumber;
    while ((now & kNumber) == seen && (now & kOpen) != 0) {
      if (!region_.compare_exchange_weak(now, now + 1, std::memory_order_acquire)) continue;
      work_on_pieces(thread);
      const uint32_t left = region_.fetch_sub(1, std::memory_order_release) - 1;
      if ((left & (kInside | kOpen)) == 0) region_.notify_all();
      break;
    }
    if (stopping_.load(std::memory_order_relaxed)) return;
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
