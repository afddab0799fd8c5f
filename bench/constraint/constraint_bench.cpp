// What a constraint costs, without a model: random answers to tool requests.
//   constraint_bench MODEL_GGUF_OR_TOKENIZER_JSON CATALOGUE_JSON [ANSWERS]
// Prints one JSON object: making the tree of the vocabulary and the grammar, then microseconds per token (the
// mask, and taking the token) with masks that are new and with masks that are known, by what the token is
// part of; and how many tokens of the calls were forced, that is, need no step of the model.
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

struct Times {
  std::map<std::string, std::vector<double>> microseconds;
  int64_t forced = 0;
  int64_t tokens = 0;
};

// The k-th allowed token.
int32_t choose(const ink::TokenMask& mask, std::mt19937_64& random) {
  auto k = static_cast<int64_t>(random() % static_cast<uint64_t>(mask.count()));
  for (int32_t id = mask.lowest();; ++id) {
    if (mask.test(id) && k-- == 0) return id;
  }
}

// What the next token is part of, by the text so far.
std::string part_of(const std::string& text, int64_t allowed) {
  if (!text.starts_with("<tool_call>")) return "reply";
  if (allowed == 1) return "forced";
  const size_t colon = text.rfind(": \"");
  const bool in_string = colon != std::string::npos && text.find('"', colon + 3) == std::string::npos;
  return in_string && text.rfind("\"name\"") < colon ? "string" : "structure";
}

void answer(ink::Constraint& constraint, uint64_t seed, Times& times) {
  std::mt19937_64 random(seed);
  std::string text;
  for (int count = 0; count < 200; ++count) {
    const double start = microseconds();
    const ink::TokenMask& allowed = constraint.allowed();
    const bool ends = constraint.must_stop();
    double spent = microseconds() - start;
    if (ends || (constraint.can_stop() && random() % 8 == 0)) return;
    const int64_t choices = allowed.count();
    const std::string part = part_of(text, choices);
    const int32_t id = choose(allowed, random);
    const double middle = microseconds();
    constraint.accept(id);
    spent += microseconds() - middle;
    times.microseconds[part].push_back(spent);
    times.forced += part == "forced" ? 1 : 0;
    times.tokens += part == "reply" ? 0 : 1;
    text += constraint.tokenizer().token_bytes(id);
  }
}

void print(const char* name, Times& times) {
  std::printf(",\n  \"%s\": {", name);
  const char* comma = "";
  for (auto& [part, all] : times.microseconds) {
    std::sort(all.begin(), all.end());
    std::printf("%s\n    \"%s\": {\"tokens\": %zu, \"median_us\": %.2f, \"p99_us\": %.1f, \"most_us\": %.1f}",
                comma, part.c_str(), all.size(), all[all.size() / 2], all[all.size() * 99 / 100], all.back());
    comma = ",";
  }
  std::printf("%s\n    \"forced_share_of_calls\": %.3f}", comma,
              static_cast<double>(times.forced) / static_cast<double>(std::max<int64_t>(times.tokens, 1)));
}

int fail(const ink::Error& error) {
  std::fprintf(stderr, "constraint_bench: %s\n", error.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: constraint_bench MODEL_GGUF_OR_TOKENIZER_JSON CATALOGUE_JSON [ANSWERS]\n");
    return 2;
  }
  const auto tokenizer = open_tokenizer(argv[1]);
  if (!tokenizer.ok()) return fail(tokenizer.error());
  const auto catalogue = ink::parse_json(read(argv[2]), argv[2]);
  if (!catalogue.ok()) return fail(catalogue.error());
  const auto tools = catalogue->get<std::vector<ink::Json>>();
  const uint64_t answers = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 200;

  double start = microseconds();
  const auto tree = ink::TokenTree::create(*tokenizer);
  const double tree_us = microseconds() - start;
  std::printf("{\"vocabulary\": %d, \"tools\": %zu, \"tree_ms\": %.2f, \"tree_nodes\": %zu",
              tokenizer->vocabulary_size(), tools.size(), tree_us / 1000, tree->nodes().size());
  const std::string requests[] = {"turn off the kitchen light and remind me tomorrow at 8 to call Mom",
                                  "半個鐘之後叫我熄火，唔該", "提醒我明天早上八点给妈妈打电话说我会晚一点到"};
  Times cold, warm;
  std::shared_ptr<const ink::TokenGrammar> known[2];
  for (uint64_t seed = 0; seed < 2 * answers; ++seed) {
    const bool may_reply = seed % 4 == 0;
    start = microseconds();
    auto grammar = ink::compile_tools(
        tools, {.choice = may_reply ? ink::ToolChoice::kAuto : ink::ToolChoice::kRequired});
    if (!grammar.ok()) return fail(grammar.error());
    if (seed == 0) {
      const double compiled = microseconds() - start;
      std::printf(", \"grammar_ms\": %.2f, \"grammar_nodes\": %zu", compiled / 1000, grammar->size());
    }
    auto fresh = ink::TokenGrammar::create(std::move(*grammar), tree);
    auto& kept = known[may_reply ? 1 : 0];
    if (kept == nullptr) kept = fresh;
    auto constraint = ink::Constraint::create(seed < answers ? fresh : kept, {.request = requests[seed % 3]});
    if (!constraint.ok()) return fail(constraint.error());
    answer(**constraint, seed % answers, seed < answers ? cold : warm);
  }
  print("new_masks", cold);
  print("known_masks", warm);
  std::printf("}\n");
  return 0;
}
