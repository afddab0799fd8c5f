// `inkstone bench`: how fast a model is on this machine, and how near that is to what the machine can do. The
// share of the read bandwidth counts the bytes that a token needs in the file's own types, and the cache as
// it is kept; the share of the arithmetic counts against int8 products from registers.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "cli/benchmark.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/units.h"
#include "runtime/token_cost.h"
#include "services/library/model_finder.h"

namespace ink::cli {
namespace {

constexpr uint64_t kProbeBytes = uint64_t{256} << 20;
constexpr double kQuietCpus = 0.1;  // others below this do not disturb

struct BenchFlags {
  ModelFlags model;
  std::optional<std::string> prompts;
  std::optional<std::string> depths;
  std::optional<std::string> parallel;
  std::optional<int64_t> generate;
  std::optional<int64_t> repetitions;
  bool turns = false;
  bool json = false;
};

struct BenchReport {
  std::string model;
  std::string types;
  std::shared_ptr<const Engine> engine;
  TokenCost cost;
  double load_seconds = 0;
  double int8_peak = 0;  // operations a second; 0: not known for these kernels
  std::vector<BenchTest> tests;
};

// "0,4096" as numbers.
Status read_list(const char* flag, const std::optional<std::string>& text, int64_t least, int64_t most,
                 std::vector<int64_t>& values) {
  if (!text) return Done{};
  values.clear();
  for (size_t start = 0; start <= text->size();) {
    const size_t end = std::min(text->find(',', start), text->size());
    const auto value = parse_integer(flag, std::string_view(*text).substr(start, end - start), least, most);
    if (!value.ok()) return value.error();
    values.push_back(*value);
    start = end + 1;
  }
  return Done{};
}

Result<BenchPlan> plan_of(const BenchFlags& flags) {
  BenchPlan plan;
  Status read = read_list("--n-prompt", flags.prompts, 0, 1 << 24, plan.prompts);
  if (read.ok()) read = read_list("--n-depth", flags.depths, 0, 1 << 24, plan.depths);
  if (read.ok()) read = read_list("--parallel", flags.parallel, 1, 1024, plan.parallel);
  if (!read.ok()) return read.error();
  plan.generate = flags.generate.value_or(plan.generate);
  plan.repetitions = flags.repetitions.value_or(plan.repetitions);
  return plan;
}

// What one token of a test must read; nothing where it depends on which experts the tokens choose.
std::optional<double> bytes_per_token(const BenchTest& test, const BenchReport& report) {
  const bool is_decode = test.kind == BenchTest::Kind::kDecode;
  if (report.cost.is_routed && !(is_decode && test.parallel == 1)) return std::nullopt;
  const auto tokens = static_cast<double>(test.tokens);
  const auto batch = static_cast<double>(report.engine->options().batch_tokens);
  const double context = static_cast<double>(test.depth) + tokens / 2;
  // A step reads the weights once, and for each sequence its context once.
  const double tokens_per_step = is_decode ? static_cast<double>(test.parallel) : std::min(tokens, batch);
  const double contexts = is_decode ? 1 : 1 / tokens_per_step;
  return static_cast<double>(report.cost.weight_bytes) / tokens_per_step +
         static_cast<double>(report.cost.kv_bytes) * context * contexts;
}

double operations_per_token(const BenchTest& test, const TokenCost& cost) {
  const auto tokens = static_cast<double>(test.tokens);
  const auto depth = static_cast<double>(test.depth);
  if (test.kind == BenchTest::Kind::kDecode) return cost.operations(depth + tokens / 2);
  return cost.prompt_operations(tokens, depth) / tokens;
}

std::optional<double> bandwidth_share(const BenchTest& test, const BenchReport& report) {
  const auto bytes = bytes_per_token(test, report);
  if (!bytes) return std::nullopt;
  return *bytes * test.tokens_per_second() / median(test.bandwidths);
}

std::optional<double> peak_share(const BenchTest& test, const BenchReport& report) {
  if (report.int8_peak == 0) return std::nullopt;
  return operations_per_token(test, report.cost) * test.tokens_per_second() / report.int8_peak;
}

std::optional<double> joules_per_token(const BenchTest& test) {
  if (!test.joules) return std::nullopt;
  return *test.joules / static_cast<double>(test.tokens * test.parallel) /
         static_cast<double>(test.seconds.size());
}

double bandwidth_of_run(const BenchReport& report) {
  std::vector<double> all;
  for (const auto& test : report.tests) all.insert(all.end(), test.bandwidths.begin(), test.bandwidths.end());
  return median(all);
}

std::optional<double> most_foreign_cpus(const BenchReport& report) {
  std::optional<double> most;
  for (const auto& test : report.tests) {
    if (test.foreign_cpus) most = std::max(most.value_or(0), *test.foreign_cpus);
  }
  return most;
}

// Without what is there for the measuring alone.
uint64_t most_memory_bytes() {
  const uint64_t peak = peak_memory_bytes();
  return peak > kProbeBytes ? peak - kProbeBytes : 0;
}

std::string_view kind_name(const BenchTest& test) {
  return test.kind == BenchTest::Kind::kPrefill ? "prefill" : "decode";
}

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

double rate(const BenchTest& test, double seconds) {
  return static_cast<double>(test.tokens * test.parallel) / seconds;
}

Json test_json(const BenchTest& test, const BenchReport& report) {
  Json rates = Json::array();
  for (const double seconds : test.seconds) rates.push_back(rate(test, seconds));
  return {{"test", kind_name(test)},
          {"tokens", test.tokens},
          {"depth", test.depth},
          {"parallel", test.parallel},
          {"tokens_per_second", test.tokens_per_second()},
          {"repetitions", rates},
          {"bytes_per_token", or_null(bytes_per_token(test, report))},
          {"operations_per_token", operations_per_token(test, report.cost)},
          {"read_bandwidth", median(test.bandwidths)},
          {"bandwidth_share", or_null(bandwidth_share(test, report))},
          {"peak_share", or_null(peak_share(test, report))},
          {"joules_per_token", or_null(joules_per_token(test))},
          {"foreign_cpus", or_null(test.foreign_cpus)}};
}

Json report_json(const BenchReport& report) {
  const EngineOptions& options = report.engine->options();
  Json tests = Json::array();
  for (const auto& test : report.tests) tests.push_back(test_json(test, report));
  return {{"version", INK_VERSION},
          {"model", report.model},
          {"types", report.types},
          {"processor", processor_name()},
          {"threads", options.threads},
          {"kernels", options.kernels},
          {"arithmetic", options.arithmetic == Arithmetic::kExact ? "exact" : "fast"},
          {"batch_tokens", options.batch_tokens},
          {"read_bandwidth", bandwidth_of_run(report)},
          {"int8_peak", report.int8_peak > 0 ? Json(report.int8_peak) : Json(nullptr)},
          {"weight_bytes_per_token", report.cost.weight_bytes},
          {"kv_bytes_per_context_token", report.cost.kv_bytes},
          {"load_seconds", report.load_seconds},
          {"peak_memory_bytes", most_memory_bytes()},
          {"tests", tests}};
}

std::string formatted(const char* format, double value) {
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string percent(const std::optional<double>& share) {
  return share ? formatted("%.1f %%", 100 * *share) : "-";
}

void print_report(const BenchReport& report) {
  const EngineOptions& options = report.engine->options();
  output().write(report.model + ": " + report.types + "; " + std::to_string(options.threads) +
                 " threads, kernels " + options.kernels + "\n");
  output().write(processor_name() + ": reads " + formatted("%.1f GB/s", 1e-9 * bandwidth_of_run(report)) +
                 (report.int8_peak > 0
                      ? ", " + formatted("%.0f", 1e-9 * report.int8_peak) + " G int8 operations/s"
                      : "") +
                 ", measured in this run\n");
  output().write("a token reads " + size_text(report.cost.weight_bytes) + " of weights and " +
                 size_text(report.cost.kv_bytes) + " for each token of its context\n\n");
  char line[200];
  std::snprintf(line, sizeof line, "%-14s %7s %9s %10s %17s %10s %10s %9s %7s\n", "test", "depth", "parallel",
                "tokens/s", "least .. most", "of reads", "of int8", "J/token", "others");
  output().write(line);
  for (const auto& test : report.tests) {
    const auto [least, most] = std::minmax_element(test.seconds.begin(), test.seconds.end());
    const std::string name = std::string(kind_name(test)) + " " + std::to_string(test.tokens);
    const std::string range =
        formatted("%.1f", rate(test, *most)) + " .. " + formatted("%.1f", rate(test, *least));
    const auto joules = joules_per_token(test);
    std::snprintf(line, sizeof line, "%-14s %7lld %9lld %10.1f %17s %10s %10s %9s %7s\n", name.c_str(),
                  static_cast<long long>(test.depth), static_cast<long long>(test.parallel),
                  test.tokens_per_second(), range.c_str(), percent(bandwidth_share(test, report)).c_str(),
                  percent(peak_share(test, report)).c_str(),
                  joules ? formatted("%.3f", *joules).c_str() : "-",
                  test.foreign_cpus ? formatted("%.2f", *test.foreign_cpus).c_str() : "-");
    output().write(line);
  }
  output().write("\nloaded in " + formatted("%.2f s", report.load_seconds) + "; at most " +
                 size_text(most_memory_bytes()) + " of memory\n");
}

// For measuring in turns with another program: a line on stdin asks for a repetition, its end for the report.
bool is_our_turn() {
  if (!wait_for_input(STDIN_FILENO)) return false;
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) == 1) {
    if (byte == '\n') return true;
  }
  return false;
}

void announce(const BenchTest& test) {
  output().write_json({{"test", kind_name(test)},
                       {"tokens", test.tokens},
                       {"depth", test.depth},
                       {"parallel", test.parallel},
                       {"tokens_per_second", rate(test, test.seconds.back())}});
  output().flush();
}

Result<BenchReport> measure(const BenchFlags& flags, const BenchPlan& plan) {
  BenchReport report;
  const auto start = std::chrono::steady_clock::now();
  auto checkpoint = open_model(flags.model.model.value_or(""));
  if (!checkpoint.ok()) return checkpoint.error();
  report.model = checkpoint->name();
  Progress loading("loading " + report.model);
  EngineOptions options = engine_options(flags.model);
  options.context_tokens = plan.context_tokens();
  options.max_sequences = plan.sequences();
  options.progress = [&](double fraction) { loading.update(fraction); };
  auto engine = Engine::open(std::move(*checkpoint), options);
  loading.clear();
  if (!engine.ok()) return engine.error();
  report.engine = *engine;
  const auto scheduler = Scheduler::create(report.engine);
  if (!scheduler.ok()) return scheduler.error();
  report.load_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.types = describe_types(report.engine->checkpoint());
  report.cost =
      token_cost(report.engine->checkpoint(), report.engine->config(), report.engine->options().cache_type);
  auto probe = ReadProbe::create(kProbeBytes, report.engine->threads());
  if (!probe.ok()) return probe.error();
  report.int8_peak = measure_int8_peak(report.engine->kernels(), report.engine->threads());
  Progress progress("measuring");
  Benchmark benchmark(**scheduler, std::move(*probe), plan);
  auto tests = benchmark.run(
      [&](double fraction) {
        if (flags.turns) return is_our_turn();
        progress.update(fraction);
        return !interrupted();
      },
      [&](const BenchTest& test) {
        if (flags.turns) announce(test);
      });
  if (!tests.ok()) return tests.error();
  report.tests = std::move(*tests);
  return report;
}

int bench(const BenchFlags& flags) {
  const auto plan = plan_of(flags);
  if (!plan.ok()) return report(plan.error());
  const InterruptScope ctrl_c(true);
  const auto measured = measure(flags, *plan);
  if (!measured.ok()) return report(measured.error());
  if (flags.json)
    output().write_json(report_json(*measured));
  else
    print_report(*measured);
  const auto foreign = most_foreign_cpus(*measured);
  if (foreign.value_or(0) > kQuietCpus)
    note("others kept up to " + formatted("%.2f", *foreign) +
         " processors busy meanwhile; the numbers are lower than on a quiet machine");
  return interrupted() ? kInterrupted : kOk;
}

}  // namespace

void add_bench_command(CLI::App& program, Action& action) {
  Command command(
      program, "bench",
      "Measure a model's speed, and its share of what this machine's memory and arithmetic can do");
  auto flags = std::make_shared<BenchFlags>();
  add_model_flag(command, flags->model);
  command.text("-p,--n-prompt", flags->prompts, "Tokens of a prompt, a list such as 512,8192; 0: none (512)",
               "LIST");
  command.integer("-n,--n-gen", flags->generate, 0, 1 << 24, "Tokens of an answer; 0: none (64)");
  command.text("-d,--n-depth", flags->depths, "Tokens of context before each test, a list (0)", "LIST");
  command.text("--parallel", flags->parallel, "Answers written at the same time, a list (1)", "LIST");
  command.integer("-r,--repetitions", flags->repetitions, 1, 1000,
                  "Repetitions, of which the median counts (5)");
  command.from_environment(command.integer("-t,--threads", flags->model.threads, 0, 1024,
                                           "Threads (0: as many as the process may use)"));
  command.from_environment(command.integer("-b,--batch-size", flags->model.batch_size, 1, 65536,
                                           "Most tokens of a prompt in one step (512)"));
  add_cache_type_flag(command, flags->model);
  command.toggle("--exact", flags->model.exact,
                 "Widen all weights to float: slower, larger, the reference's numbers");
  command.toggle("--turns", flags->turns,
                 "Wait for a line on stdin before each repetition and print its result, to measure in turns");
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return bench(*flags); });
}

}  // namespace ink::cli
