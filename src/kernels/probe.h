// What this machine can do at best, measured: the two limits that a benchmark states its numbers against. A
// program that decodes reads every weight once a token, so the read bandwidth bounds it; prefill is bounded
// by the integer arithmetic.
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "base/result.h"
#include "base/threads.h"
#include "kernels/int8_loop.h"
#include "kernels/kernel_table.h"

namespace ink {

// Null run: no loop is known for that table.
Int8Loop int8_loop(const KernelTable& table);

// Operations a second that all threads together reach, the best of some short tries; 0 without a loop.
double measure_int8_peak(const KernelTable& table, ThreadPool& threads);

// All threads together read a buffer from end to end, in memory of the kind that weights lie in.
class ReadProbe {
 public:
  // Larger than any cache should be. Errors: kTooLarge.
  static Result<ReadProbe> create(uint64_t size_bytes, ThreadPool& threads);

  // Bytes a second, the best of three walks.
  double measure();

 private:
  ReadProbe(PageMemory memory, ThreadPool& threads) : memory_(std::move(memory)), threads_(threads) {}
  PageMemory memory_;
  ThreadPool& threads_;
};

}  // namespace ink
