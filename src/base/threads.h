// The one thread pool of a process. The caller takes part, each thread works through its own share of the
// items and then takes from the others', and an idle worker spins for a few microseconds before it sleeps.
// Nobody waits for a worker that has not come: on a busy machine, where it may be woken late, the caller does
// all the work itself. Results never depend on which thread ran a piece.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace ink {

class ThreadPool {
 public:
  // threads: how many run in parallel, the caller included; at least 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls work(begin, end, thread) for pieces of [0, count), count below 2^32; returns when all are done. So
  // many items as are worth waking a thread for, `worth_a_thread`, are left to the caller alone. Of more,
  // each thread has a share, which it reads from its beginning on without a gap: a piece is a quarter of what
  // is left of it, at the end an eighth of `worth_a_thread`. Who is done takes half of what another has left,
  // so that all threads end together. Not reentrant, and one caller at a time. `thread` is 0 .. size() - 1,
  // for scratch that each thread owns.
  template <typename Work>
  void parallel_for(int64_t count, int64_t worth_a_thread, Work&& work) {
    using Callable = std::remove_reference_t<Work>;
    run(
        count, worth_a_thread,
        [](void* context, int64_t begin, int64_t end, int thread) {
          (*static_cast<Callable*>(context))(begin, end, thread);
        },
        &work);
  }

 private:
  using Function = void (*)(void* context, int64_t begin, int64_t end, int thread);
  void run(int64_t count, int64_t worth_a_thread, Function function, void* context);
  void work_on_pieces(int thread);
  bool work_on_own_piece(int thread);
  bool take_from_another(int thread);
  void worker(int thread);

  // Items that nobody has begun: the first one in the upper half, the one behind the last in the lower.
  struct alignas(64) Share {
    std::atomic<uint64_t> items{0};
  };
  std::vector<Share> shares_;  // [size()]
  std::vector<std::thread> workers_;
  // The current region. Written by the caller while no worker is inside, read by workers that have entered.
  Function function_ = nullptr;
  void* context_ = nullptr;
  uint64_t least_piece_ = 1;
  alignas(64) std::atomic<uint32_t> region_{0};  // number, open or closed, workers inside: see threads.cpp
  std::atomic<bool> stopping_{false};
};

// Hardware threads that this process may use (affinity and cgroup quota considered); at least 1.
int available_threads();

}  // namespace ink
