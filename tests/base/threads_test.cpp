// Every item of a region is worked on exactly once, by a thread with a number inside the pool, and a region's
// writes are seen by the caller after it. Many short regions in a row: that is what a decode step is.
#include "base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <vector>

namespace ink {
namespace {

TEST(ThreadPool, EveryItemOnceWhateverTheThreadsAndChunks) {
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (const int64_t count : {0, 1, 2, 7, 64, 1000}) {
      for (const int64_t chunk : {1, 3, 64, 5000}) {
        std::vector<int> visits(static_cast<size_t>(count), 0);
        std::vector<int64_t> per_thread(static_cast<size_t>(threads), 0);
        pool.parallel_for(count, chunk, [&](int64_t begin, int64_t end, int thread) {
          ASSERT_TRUE(thread >= 0 && thread < threads);
          ASSERT_LE(end, count);
          for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
          per_thread[static_cast<size_t>(thread)] += end - begin;
        });
        for (const int visit : visits) ASSERT_EQ(visit, 1);
        int64_t sum = 0;
        for (const int64_t items : per_thread) sum += items;
        EXPECT_EQ(sum, count);
      }
    }
  }
}

TEST(ThreadPool, ManyShortRegionsInARow) {
  ThreadPool pool(3);
  std::vector<int64_t> values(12, 0);
  for (int round = 0; round < 5000; ++round) {
    pool.parallel_for(12, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) values[static_cast<size_t>(i)] += i;
    });
    ASSERT_EQ(values[11], 11 * (round + 1));
  }
}

TEST(ThreadPool, SleepingWorkersWakeUp) {
  ThreadPool pool(2);
  int64_t done = 0;
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // far longer than a worker spins
    pool.parallel_for(2, 1, [&](int64_t begin, int64_t end, int) {
      __atomic_fetch_add(&done, end - begin, __ATOMIC_RELAXED);
    });
  }
  EXPECT_EQ(done, 6);
}

// The caller does not wait for workers that are still on their way: with far more threads than cores a region
// must not cost a turn of the scheduler for each of them. What it must never do is leave while one is inside.
TEST(ThreadPool, NobodyIsInsideAfterARegion) {
  ThreadPool pool(16);
  for (int round = 0; round < 2000; ++round) {
    std::vector<int> mine(64, 0);  // gone after this round: a late worker would write to freed memory
    pool.parallel_for(64, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) mine[static_cast<size_t>(i)] = round;
    });
    for (const int value : mine) ASSERT_EQ(value, round);
  }
}

// The thread with the first piece does nothing else until the others have done all the rest, its own share
// included.
TEST(ThreadPool, WhoIsDoneTakesWhatAnotherHasLeft) {
  constexpr int64_t kItems = 600;
  for (const int threads : {2, 3, 7}) {
    ThreadPool pool(threads);
    std::atomic<int64_t> done{0};
    int64_t by_others = 0;
    pool.parallel_for(kItems, 1, [&](int64_t begin, int64_t end, int) {
      if (begin == 0) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (done.load() < kItems - end && std::chrono::steady_clock::now() < deadline)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        by_others = done.load() + end;
      }
      done += end - begin;
    });
    EXPECT_EQ(by_others, kItems) << threads;
    EXPECT_EQ(done.load(), kItems);
  }
}

TEST(AvailableThreads, IsAtLeastOne) { EXPECT_GE(available_threads(), 1); }

}  // namespace
}  // namespace ink
