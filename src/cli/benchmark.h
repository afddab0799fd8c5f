// Measures how fast a loaded model reads prompts and writes answers, in the manner of llama-bench, through
// the scheduler that every answer goes through. Tokens are drawn at random, with one seed: what they say does
// not matter, and a fixed one would always choose the same experts. The read bandwidth is measured anew
// beside every repetition, so that a machine whose memory others use too is compared with what it had to give
// at that moment.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <vector>

#include "base/result.h"
#include "cli/machine.h"
#include "kernels/probe.h"
#include "runtime/scheduler.h"

namespace ink::cli {

struct BenchPlan {
  std::vector<int64_t> prompts = {512};  // tokens of a prompt; 0: no such test
  std::vector<int64_t> depths = {0};     // tokens in the cache before a test begins
  std::vector<int64_t> parallel = {1};   // sequences that write at the same time
  int64_t generate = 64;                 // tokens of an answer; 0: no such test
  int64_t repetitions = 5;

  int64_t context_tokens() const;  // that the longest test needs; at least 1
  int sequences() const;
};

struct BenchTest {
  enum class Kind { kPrefill, kDecode } kind;
  int64_t tokens;    // of each sequence
  int64_t depth;     // before the first of them
  int64_t parallel;  // sequences

  std::vector<double> seconds;     // of each repetition
  std::vector<double> bandwidths;  // read beside each, bytes a second
  std::optional<double> joules;    // of all repetitions
  std::optional<double> foreign_cpus;

  double tokens_per_second() const;  // of all sequences together, in the median repetition
};

double median(std::vector<double> values);  // 0 for none

class Benchmark {
 public:
  // `scheduler` has the context and the sequences that the plan needs, all of them free.
  Benchmark(Scheduler& scheduler, ReadProbe probe, const BenchPlan& plan);

  // `before` hears how much is done (0 … 1) before each repetition and returns false to stop; then the tests
  // that are complete are the result. `after` sees the test with the repetition just made.
  Result<std::vector<BenchTest>> run(const std::function<bool(double)>& before,
                                     const std::function<void(const BenchTest&)>& after);

 private:
  Status warm_up();
  Status fill(int64_t sequences, int64_t depth);  // all of them hold exactly `depth` tokens
  Status measure(BenchTest& test);
  Status repeat_once(const BenchTest& test);
  std::vector<int32_t> draw(int64_t count);

  Scheduler& scheduler_;
  ReadProbe probe_;
  BenchPlan plan_;
  std::mt19937_64 random_{1};
  std::vector<int> sequences_;
  EnergyMeter energy_;
  LoadMeter load_;
};

}  // namespace ink::cli
