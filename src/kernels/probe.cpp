// See kernels/probe.h. The loops of instruction sets live in their folders, as kernels do.
#include "kernels/probe.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>

#include "base/huge_pages.h"
#include "kernels/x86/x86_probes.h"

namespace ink {
namespace {

constexpr int64_t kBytesWorthAThread = 1 << 20;
constexpr int kWalks = 3;
constexpr int kTries = 5;
constexpr double kTrySeconds = 0.01;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Every word counts towards the result, so that none can be left unread, but for 255 bytes at the end. Four
// places are read at once and fetched before: a processor's own prefetcher starts anew at each page, and one
// place alone would show two cores of Zen 3 25 GB/s of memory that gives 32.
uint64_t sum_words(const std::byte* bytes, int64_t size) {
  constexpr int64_t kStreams = 4;
  constexpr int64_t kStep = 64;
  constexpr int64_t kAhead = 512;
  const int64_t stream_bytes = size / kStreams / kStep * kStep;
  uint64_t sums[4] = {};
  uint64_t words[4];
  for (int64_t i = 0; i < stream_bytes; i += kStep) {
    for (int64_t stream = 0; stream < kStreams; ++stream) {
      const std::byte* place = bytes + stream * stream_bytes + i;
      __builtin_prefetch(place + kAhead, 0, 0);
      for (int64_t half = 0; half < kStep; half += static_cast<int64_t>(sizeof words)) {
        std::memcpy(words, place + half, sizeof words);
        for (int lane = 0; lane < 4; ++lane) sums[lane] += words[lane];
      }
    }
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

// The innermost step of portable/integer_panels: four columns of 16 rows.
void portable_loop(int64_t rounds) {
  int8_t w[64];
  int8_t x[4] = {1, -2, 3, -4};
  int32_t sums[16] = {};
  for (int i = 0; i < 64; ++i) w[i] = static_cast<int8_t>(i);
  for (int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+m"(w), "+m"(x));
    for (int n = 0; n < 16; ++n) {
      int32_t sum = 0;
      for (int i = 0; i < 4; ++i) sum += w[4 * n + i] * x[i];
      sums[n] += sum;
    }
  }
  asm volatile("" : : "m"(sums));
}

}  // namespace

Int8Loop int8_loop(const KernelTable& table) {
  if (std::strcmp(table.name, "portable") == 0) return {2 * 64, portable_loop};
  return x86_int8_loop(table.name);
}

double measure_int8_peak(const KernelTable& table, ThreadPool& threads) {
  const Int8Loop loop = int8_loop(table);
  if (loop.run == nullptr) return 0;
  constexpr int64_t kRounds = 1000;
  loop.run(kRounds);  // a processor raises its clock and wakes its wide units first
  const double round_seconds = seconds_of([&] { loop.run(kRounds); }) / kRounds;
  // Some dozens of pieces for each thread, so that all threads are at work nearly all the time.
  const int64_t pieces = 32 * threads.size();
  const auto rounds = std::max<int64_t>(1, static_cast<int64_t>(kTrySeconds / 32 / round_seconds));
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const double seconds = seconds_of([&] {
      threads.parallel_for(pieces, 1, [&](int64_t begin, int64_t end, int) {
        for (int64_t piece = begin; piece < end; ++piece) loop.run(rounds);
      });
    });
    best = std::max(best, static_cast<double>(loop.operations_per_round * rounds * pieces) / seconds);
  }
  return best;
}

Result<ReadProbe> ReadProbe::create(uint64_t size_bytes, ThreadPool& threads) {
  auto memory = PageMemory::reserve(size_bytes);
  if (!memory.ok()) return memory.error();
  prefer_huge_pages({memory->data(), memory->size_bytes()});
  std::memset(memory->data(), 1, memory->size_bytes());  // untouched pages would all be one page of zeros
  return ReadProbe(std::move(*memory), threads);
}

double ReadProbe::measure() {
  constexpr int64_t kUnit = 64;  // by bytes, a large buffer would have more items than a region can
  const auto size = static_cast<int64_t>(memory_.size_bytes());
  const int64_t units = (size + kUnit - 1) / kUnit;
  std::atomic<uint64_t> sum{0};
  double best = 0;
  for (int i = 0; i < kWalks; ++i) {
    const double seconds = seconds_of([&] {
      threads_.parallel_for(units, kBytesWorthAThread / kUnit, [&](int64_t begin, int64_t end, int) {
        const int64_t first = begin * kUnit;
        const int64_t last = std::min(size, end * kUnit);
        sum.fetch_add(sum_words(memory_.data() + first, last - first), std::memory_order_relaxed);
      });
    });
    best = std::max(best, static_cast<double>(size) / seconds);
  }
  return best;
}

}  // namespace ink
