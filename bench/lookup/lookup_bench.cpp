// What look-up gains and costs: answers that edit a text of their prompt, and answers that do not repeat
// theirs, with and without look-up in turns.
//   lookup_bench MODEL [TASKS_JSONL] [ROUNDS] [THREADS] [NAME …]
// A model of random weights has nothing to say, so the answers are given (bench/lookup/tasks.jsonl) and the
// model is made to say them: it computes every step, and draws from every row, as if they were its own. What
// counts is therefore exact for a model that would answer just so. A tokenizer of natural words is needed:
// `inkstone synth --tokenizer`. NAME: only these tasks. Prints one JSON object: seconds of a step by its
// rows, then for every task tokens per second and their ratio, medians of the rounds, and how many tokens
// were guessed and right.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "runtime/session.h"

namespace {

constexpr int64_t kMostRows = 16;

struct Task {
  std::string name;
  std::string kind;
  std::vector<int32_t> prompt;
  std::vector<int32_t> answer;
};

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "lookup_bench: %s\n", message.c_str());
  std::exit(1);
}

template <typename T>
T must(ink::Result<T> result) {
  if (!result.ok()) fail(result.error().message());
  return std::move(result).value();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::vector<Task> read_tasks(const std::string& path, const ink::Tokenizer& tokenizer,
                             const std::vector<std::string>& names) {
  std::vector<Task> tasks;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const ink::Json json = must(ink::parse_json(line, path));
    const std::string name = json["name"];
    if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) continue;
    tasks.push_back({name, json["kind"], tokenizer.encode(json["prompt"].get_ref<const std::string&>()),
                     tokenizer.encode(json["answer"].get_ref<const std::string&>())});
  }
  if (tasks.empty()) fail("no tasks in " + path);
  return tasks;
}

// Medians of the seconds that a step of so many rows takes behind the task's prompt, with logits for each.
ink::Json cost_of_rows(ink::Scheduler& scheduler, const Task& task) {
  const int sequence = must(scheduler.open_sequence());
  const auto pass_over = [](size_t, int64_t, std::span<float>) { return true; };
  const auto feed = [&](std::span<const int32_t> tokens, bool all_logits) {
    const ink::Feed one{sequence, tokens, all_logits};
    if (const auto fed = scheduler.forward(std::span(&one, 1), pass_over); !fed.ok())
      fail(fed.error().message());
  };
  feed(task.prompt, false);
  ink::Json costs;
  for (int64_t rows = 1; rows <= kMostRows; ++rows) {
    std::vector<double> seconds;
    for (int i = 0; i < 7; ++i) {
      const auto start = std::chrono::steady_clock::now();
      feed(std::span(task.answer).first(static_cast<size_t>(rows)), true);
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      scheduler.truncate(sequence, static_cast<int64_t>(task.prompt.size()));
    }
    costs[std::to_string(rows)] = median(seconds);
  }
  scheduler.close_sequence(sequence);
  return costs;
}

ink::GenerationResult answer(ink::Session& session, const Task& task, bool with_lookup) {
  ink::GenerationOptions options;
  options.given_answer = &task.answer;
  options.sampling.temperature = 0;
  if (!with_lookup) options.lookup_tokens = 0;
  auto result = must(session.generate(task.prompt, options, [](const ink::GeneratedPiece&) { return true; }));
  if (result.ids != task.answer) fail("another answer");
  return result;
}

ink::Json measure(ink::Session& session, const Task& task, int rounds) {
  std::vector<double> plain;
  std::vector<double> guessing;
  std::vector<double> ratios;
  ink::GenerationResult last;
  Task beginning = task;
  beginning.answer.resize(std::min<size_t>(8, task.answer.size()));
  answer(session, beginning, false);  // reads the prompt
  const auto speed = [&](bool with_lookup) {
    last = answer(session, task, with_lookup);
    return static_cast<double>(last.ids.size()) / last.generation_seconds;
  };
  for (int round = 0; round < rounds; ++round) {
    plain.push_back(speed(false));
    guessing.push_back(speed(true));
    ratios.push_back(guessing.back() / plain.back());
  }
  return {{"task", task.name},
          {"kind", task.kind},
          {"prompt_tokens", task.prompt.size()},
          {"answer_tokens", task.answer.size()},
          {"plain_tokens_per_second", median(plain)},
          {"lookup_tokens_per_second", median(guessing)},
          {"ratio", median(ratios)},
          {"ratios", ratios},
          {"steps", last.steps},
          {"guessed", last.guessed_tokens},
          {"right", last.guessed_right_tokens}};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) fail("usage: lookup_bench MODEL [TASKS_JSONL] [ROUNDS] [THREADS] [NAME …]");
  const auto argument = [&](int i, const char* otherwise) { return count > i ? arguments[i] : otherwise; };
  ink::EngineOptions options;
  options.threads = std::atoi(argument(4, "0"));
  const auto engine = must(ink::Engine::open(must(ink::Checkpoint::open(arguments[1])), options));
  if (engine->tokenizer() == nullptr) fail("the model has no tokenizer");
  const std::vector<std::string> names(arguments + std::min(count, 5), arguments + count);
  const std::vector<Task> tasks =
      read_tasks(argument(2, "bench/lookup/tasks.jsonl"), *engine->tokenizer(), names);
  const auto scheduler = must(ink::Scheduler::create(engine));
  ink::Json report{{"model", engine->checkpoint().name()},
                   {"threads", engine->options().threads},
                   {"kernels", engine->options().kernels},
                   {"seconds_of_rows", cost_of_rows(*scheduler, tasks[0])}};
  std::fprintf(stderr, "%s\n", report["seconds_of_rows"].dump().c_str());
  const auto session = must(ink::Session::create(*scheduler));
  for (const Task& task : tasks) {
    report["tasks"].push_back(measure(*session, task, std::max(1, std::atoi(argument(3, "5")))));
    std::fprintf(stderr, "%s\n", report["tasks"].back().dump().c_str());
  }
  std::printf("%s\n", report.dump(1).c_str());
}
