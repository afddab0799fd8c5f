// See cli/benchmark.h.
#include "cli/benchmark.h"

#include <algorithm>
#include <chrono>

namespace ink::cli {
namespace {

bool pass_over(size_t, int64_t, std::span<float>) { return true; }

// Sorted and without repetitions: what is in the cache for one test serves the next.
std::vector<int64_t> in_order(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<BenchTest> tests_of(const BenchPlan& plan) {
  std::vector<BenchTest> tests;
  for (const int64_t depth : in_order(plan.depths)) {
    for (const int64_t prompt : plan.prompts) {
      if (prompt > 0) tests.push_back({BenchTest::Kind::kPrefill, prompt, depth, 1, {}, {}, {}, {}});
    }
    for (const int64_t parallel : in_order(plan.parallel)) {
      if (plan.generate > 0)
        tests.push_back({BenchTest::Kind::kDecode, plan.generate, depth, parallel, {}, {}, {}, {}});
    }
  }
  return tests;
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

int64_t BenchPlan::context_tokens() const {
  const int64_t longest = std::max(*std::max_element(prompts.begin(), prompts.end()), generate);
  return std::max<int64_t>(2, *std::max_element(depths.begin(), depths.end()) + longest);
}

int BenchPlan::sequences() const {
  return static_cast<int>(*std::max_element(parallel.begin(), parallel.end()));
}

double BenchTest::tokens_per_second() const {
  const double typical = median(seconds);
  return typical > 0 ? static_cast<double>(tokens * parallel) / typical : 0;
}

Benchmark::Benchmark(Scheduler& scheduler, ReadProbe probe, const BenchPlan& plan)
    : scheduler_(scheduler), probe_(std::move(probe)), plan_(plan) {}

Result<std::vector<BenchTest>> Benchmark::run(const std::function<bool(double)>& before,
                                              const std::function<void(const BenchTest&)>& after) {
  while (static_cast<int>(sequences_.size()) < plan_.sequences()) {
    const auto sequence = scheduler_.open_sequence();
    if (!sequence.ok()) return sequence.error();
    sequences_.push_back(*sequence);
  }
  const Status warm = warm_up();
  if (!warm.ok()) return warm.error();
  std::vector<BenchTest> planned = tests_of(plan_);
  std::vector<BenchTest> done;
  const auto total = static_cast<double>(planned.size()) * static_cast<double>(plan_.repetitions);
  for (auto& test : planned) {
    load_.take();
    for (int64_t i = 0; i < plan_.repetitions; ++i) {
      const auto made = static_cast<double>(static_cast<int64_t>(done.size()) * plan_.repetitions + i);
      if (!before(made / total)) return done;
      const Status measured = measure(test);
      if (!measured.ok()) return measured.error();
      after(test);
    }
    test.foreign_cpus = load_.take();
    done.push_back(std::move(test));
  }
  return done;
}

// Pages of memory are touched and the processor's clock is up before the first test.
Status Benchmark::warm_up() {
  const int64_t tokens =
      std::min(scheduler_.engine().options().context_tokens, scheduler_.engine().options().batch_tokens);
  const Status filled = fill(1, tokens);
  if (!filled.ok()) return filled;
  probe_.measure();
  return fill(1, 0);
}

Status Benchmark::fill(int64_t sequences, int64_t depth) {
  for (int64_t i = 0; i < sequences; ++i) {
    const int sequence = sequences_[static_cast<size_t>(i)];
    scheduler_.truncate(sequence, depth);
    const std::vector<int32_t> tokens = draw(depth - scheduler_.length(sequence));
    if (tokens.empty()) continue;
    const Feed feed{sequence, tokens, false};
    const Status fed = scheduler_.forward(std::span(&feed, 1), pass_over);
    if (!fed.ok()) return fed;
  }
  return Done{};
}

Status Benchmark::measure(BenchTest& test) {
  const Status filled = fill(test.parallel, test.depth);
  if (!filled.ok()) return filled;
  test.bandwidths.push_back(probe_.measure());
  energy_.take();
  const auto start = std::chrono::steady_clock::now();
  const Status done = repeat_once(test);
  if (!done.ok()) return done;
  test.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  if (const auto used = energy_.take()) test.joules = test.joules.value_or(0) + *used;
  return Done{};
}

Status Benchmark::repeat_once(const BenchTest& test) {
  const bool is_decode = test.kind == BenchTest::Kind::kDecode;
  const int64_t steps = is_decode ? test.tokens : 1;
  const int64_t tokens_per_step = is_decode ? 1 : test.tokens;
  for (int64_t step = 0; step < steps; ++step) {
    const std::vector<int32_t> tokens = draw(test.parallel * tokens_per_step);
    std::vector<Feed> feeds;
    for (int64_t i = 0; i < test.parallel; ++i) {
      feeds.push_back({sequences_[static_cast<size_t>(i)],
                       std::span(tokens).subspan(static_cast<size_t>(i * tokens_per_step),
                                                 static_cast<size_t>(tokens_per_step)),
                       false});
    }
    const Status fed = scheduler_.forward(feeds, pass_over);
    if (!fed.ok()) return fed;
  }
  return Done{};
}

std::vector<int32_t> Benchmark::draw(int64_t count) {
  const auto vocab_size = static_cast<uint64_t>(scheduler_.engine().config().vocab_size);
  std::vector<int32_t> tokens(static_cast<size_t>(std::max<int64_t>(0, count)));
  for (auto& token : tokens) token = static_cast<int32_t>(random_() % vocab_size);
  return tokens;
}

}  // namespace ink::cli
