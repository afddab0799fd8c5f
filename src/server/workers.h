// Threads that run endpoints, and the line before them. The line has an end: who comes when it is full is
// told so at once, because a client that waits for minutes has usually gone already.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ink::server {

class Workers {
 public:
  // Threads are started when there is work for them.
  Workers(size_t most_threads, size_t most_waiting);
  ~Workers();  // as stop()
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // A number by which the job can be taken back; 0: the line is full, or the workers have been stopped.
  uint64_t add(std::function<void()> job);
  // Takes it out of the line. False: it has begun.
  bool take_back(uint64_t number);
  // Nothing is begun any more; waits for what runs.
  void stop();

 private:
  struct Waiting {
    uint64_t number;
    std::function<void()> job;
  };
  void work();

  const size_t most_threads_, most_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> line_;
  size_t idle_ = 0;  // threads that have nothing to do
  uint64_t last_number_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ink::server
