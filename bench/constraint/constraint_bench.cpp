// What a constraint costs, without a model: random answers to tool requests, and random replies in JSON.
//   constraint_bench MODEL_GGUF_OR_TOKENIZER_JSON [CATALOGUE_JSON] [ANSWERS] [ROUNDS]
// Without a catalogue: bench/constraint/tools.json, eight tools with nested objects, enums, texts, formats
// and ranges. Prints one JSON object: making the tree of the vocabulary and the grammar, then microseconds
// per token (the mask, and taking the token) with a grammar that is new for each answer and with one that is
// known, by what the token is part of; and how many tokens of the calls were forced, that is, need no step of
// the model.
//
// Even a thread's own time contains what its machine did meanwhile: an interrupt, a page that was fetched, a
// core that was lent to others. So all answers are given several times (5 rounds), each time from the
// beginning with new grammars, and the time of a token is the least of its rounds: what this code makes it
// cost. most_in_one_round_us stands beside that: the worst of all rounds, with whatever it met.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "runtime/constraint.h"
#include "runtime/grammar_tools.h"
#include "runtime/model_files.h"
#include "tensor/checkpoint.h"

namespace {

// Processor time, not wall time: the figures must hold on a machine that does other things, too.
double microseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

ink::Result<ink::Tokenizer> open_tokenizer(const std::string& path) {
  if (path.ends_with(".json")) return ink::Tokenizer::from_json(read(path), path);
  const auto checkpoint = ink::Checkpoint::open(path);
  if (!checkpoint.ok()) return checkpoint.error();
  return ink::read_tokenizer(*checkpoint);
}

struct Step {
  std::string part;
  double least_us = 0, most_us = 0;  // of the rounds
};

// The steps of a round, in the order in which each round makes them.
class Times {
 public:
  void begin_round() { at_ = 0; }
  void add(const std::string& part, double microseconds) {
    if (at_ == steps_.size()) steps_.push_back({part, microseconds, microseconds});
    Step& step = steps_[at_++];
    step.least_us = std::min(step.least_us, microseconds);
    step.most_us = std::max(step.most_us, microseconds);
  }
  const std::vector<Step>& steps() const { return steps_; }

 private:
  std::vector<Step> steps_;
  size_t at_ = 0;
};

// The k-th allowed token.
int32_t choose(const ink::TokenMask& mask, std::mt19937_64& random) {
  auto k = static_cast<int64_t>(random() % static_cast<uint64_t>(mask.count()));
  for (int32_t id = mask.lowest();; ++id) {
    if (mask.test(id) && k-- == 0) return id;
  }
}

// What the next token is part of, by the text so far.
std::string part_of(const std::string& text, int64_t allowed, bool in_json) {
  if (text.empty()) return "first";
  if (!in_json && !text.starts_with("<tool_call>")) return "reply";
  if (allowed == 1) return "forced";
  const size_t colon = text.rfind(": \"");
  const bool in_string = colon != std::string::npos && text.find('"', colon + 3) == std::string::npos;
  return in_string && text.rfind("\"name\"") < colon ? "string" : "structure";
}

void answer(ink::Constraint& constraint, uint64_t seed, bool in_json, Times& times) {
  std::mt19937_64 random(seed);
  std::string text;
  for (int count = 0; count < 200; ++count) {
    const double start = microseconds();
    const ink::TokenMask& allowed = constraint.allowed();
    const bool ends = constraint.must_stop();
    constraint.forced();  // a session asks that at each token, too
    double spent = microseconds() - start;
    if (ends || (constraint.can_stop() && random() % 8 == 0)) return;
    const int64_t choices = allowed.count();
    const std::string part = part_of(text, choices, in_json);
    const int32_t id = choose(allowed, random);
    const double middle = microseconds();
    constraint.accept(id);
    spent += microseconds() - middle;
    times.add(part, spent);
    text += constraint.tokenizer().token_bytes(id);
  }
}

void print(const char* name, const Times& times) {
  struct Part {
    std::vector<double> least;
    double most = 0;
  };
  std::map<std::string, Part> parts;
  for (const Step& step : times.steps()) {
    for (Part* part : {&parts[step.part], &parts["all"]}) {
      part->least.push_back(step.least_us);
      part->most = std::max(part->most, step.most_us);
    }
  }
  std::printf(",\n  \"%s\": {", name);
  for (auto& [part, times_of] : parts) {
    auto& all = times_of.least;
    std::sort(all.begin(), all.end());
    std::printf(
        "\n    \"%s\": {\"tokens\": %zu, \"median_us\": %.2f, \"p99_us\": %.1f, \"most_us\": %.1f, "
        "\"most_in_one_round_us\": %.1f},",
        part.c_str(), all.size(), all[all.size() / 2], all[all.size() * 99 / 100], all.back(), times_of.most);
  }
  const size_t calls = times.steps().size() - parts["reply"].least.size();
  std::printf("\n    \"forced_share_of_calls\": %.3f}", static_cast<double>(parts["forced"].least.size()) /
                                                            static_cast<double>(std::max<size_t>(calls, 1)));
}

int fail(const ink::Error& error) {
  std::fprintf(stderr, "constraint_bench: %s\n", error.message().c_str());
  return 1;
}

struct Questions {
  std::vector<ink::Json> tools;
  uint64_t answers = 200;
  uint64_t rounds = 5;
};

ink::Result<ink::Grammar> compile(const Questions& questions, uint64_t seed, bool in_json) {
  ink::ToolGrammarOptions options;
  if (in_json) {
    options.reply.kind = ink::ReplyFormat::Kind::kJsonSchema;
    options.reply.schema = questions.tools[seed % questions.tools.size()]["function"]["parameters"];
    return ink::compile_tools({}, options);
  }
  if (seed % 4 != 0) options.choice = ink::ToolChoice::kRequired;
  return ink::compile_tools(questions.tools, options);
}

struct Spent {
  Times cold, warm;              // by a new and by a known grammar
  std::vector<double> compiled;  // milliseconds
  size_t nodes = 0;
};

// Answers in calls, or replies in JSON; each with a grammar of its own, then again with the grammars that
// were kept.
bool run_round(const Questions& questions, const std::shared_ptr<const ink::TokenTree>& tree, bool in_json,
               Spent& spent) {
  const std::string requests[] = {"turn off the kitchen light and remind me tomorrow at 8 to call Mom",
                                  "半個鐘之後叫我熄火，唔該", "提醒我明天早上八点给妈妈打电话说我会晚一点到"};
  std::map<uint64_t, std::shared_ptr<const ink::TokenGrammar>> known;
  spent.cold.begin_round();
  spent.warm.begin_round();
  for (uint64_t seed = 0; seed < 2 * questions.answers; ++seed) {
    const bool is_new = seed < questions.answers;
    auto& kept = known[in_json ? seed % questions.tools.size() : seed % 4];
    auto grammar_used = kept;
    if (is_new || kept == nullptr) {
      const double start = microseconds();
      auto grammar = compile(questions, seed, in_json);
      spent.compiled.push_back((microseconds() - start) / 1000);
      if (!grammar.ok()) {
        std::fprintf(stderr, "constraint_bench: %s\n", grammar.error().message().c_str());
        return false;
      }
      spent.nodes = std::max(spent.nodes, grammar->size());
      grammar_used = ink::TokenGrammar::create(std::move(*grammar), tree);
      kept = grammar_used;
    }
    auto constraint = ink::Constraint::create(grammar_used, {.request = requests[seed % 3]});
    if (!constraint.ok()) return false;
    answer(**constraint, seed % questions.answers, in_json, is_new ? spent.cold : spent.warm);
  }
  return true;
}

bool run(const Questions& questions, const std::shared_ptr<const ink::TokenTree>& tree, bool in_json) {
  Spent spent;
  for (uint64_t round = 0; round < questions.rounds; ++round) {
    if (!run_round(questions, tree, in_json, spent)) return false;
  }
  auto& compiled = spent.compiled;
  std::sort(compiled.begin(), compiled.end());
  std::printf(",\n \"%s\": {\"grammar_ms_median\": %.2f, \"grammar_ms_most\": %.2f, \"grammar_nodes\": %zu",
              in_json ? "replies" : "calls", compiled[compiled.size() / 2], compiled.back(), spent.nodes);
  print("new_grammar", spent.cold);
  print("known_grammar", spent.warm);
  std::printf("}");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(
        stderr, "usage: constraint_bench MODEL_GGUF_OR_TOKENIZER_JSON [CATALOGUE_JSON] [ANSWERS] [ROUNDS]\n");
    return 2;
  }
  const auto tokenizer = open_tokenizer(argv[1]);
  if (!tokenizer.ok()) return fail(tokenizer.error());
  const std::string path = argc > 2 ? argv[2] : "bench/constraint/tools.json";
  const auto catalogue = ink::parse_json(read(path), path);
  if (!catalogue.ok()) return fail(catalogue.error());
  Questions questions{catalogue->get<std::vector<ink::Json>>()};
  if (argc > 3) questions.answers = std::max<uint64_t>(std::strtoull(argv[3], nullptr, 10), 1);
  if (argc > 4) questions.rounds = std::max<uint64_t>(std::strtoull(argv[4], nullptr, 10), 1);
  const double start = microseconds();
  const auto tree = ink::TokenTree::create(*tokenizer);
  const double tree_us = microseconds() - start;
  std::printf("{\"vocabulary\": %d, \"tools\": %zu, \"tree_ms\": %.2f, \"tree_nodes\": %zu",
              tokenizer->vocabulary_size(), questions.tools.size(), tree_us / 1000,
              tree->bytes().nodes().size());
  const bool done = run(questions, tree, false) && run(questions, tree, true);
  std::printf("}\n");
  return done ? 0 : 1;
}
