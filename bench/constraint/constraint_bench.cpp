// What a constraint costs, without a model: random answers to tool requests, and random replies in JSON.
//   constraint_bench MODEL_GGUF_OR_TOKENIZER_JSON [CATALOGUE_JSON] [ANSWERS]
// Without a catalogue: bench/constraint/tools.json, eight tools with nested objects, enums, texts, formats
// and ranges. Prints one JSON object: making the tree of the vocabulary and the grammar, then microseconds
// per token (the mask, and taking the token) with a grammar that is new for each answer and with one that is
// known, by what the token is part of; and how many tokens of the calls were forced, that is, need no step of
// the model.
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
    times.microseconds[part].push_back(spent);
    times.microseconds["all"].push_back(spent);
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

struct Questions {
  std::vector<ink::Json> tools;
  uint64_t answers = 200;
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

// Answers in calls, or replies in JSON; each with a grammar of its own, then again with the grammars that
// were kept.
bool run(const Questions& questions, const std::shared_ptr<const ink::TokenTree>& tree, bool in_json) {
  const std::string requests[] = {"turn off the kitchen light and remind me tomorrow at 8 to call Mom",
                                  "半個鐘之後叫我熄火，唔該", "提醒我明天早上八点给妈妈打电话说我会晚一点到"};
  Times cold, warm;
  std::map<uint64_t, std::shared_ptr<const ink::TokenGrammar>> known;
  std::vector<double> compiled;
  size_t nodes = 0;
  for (uint64_t seed = 0; seed < 2 * questions.answers; ++seed) {
    const bool is_new = seed < questions.answers;
    auto& kept = known[in_json ? seed % questions.tools.size() : seed % 4];
    auto grammar_used = kept;
    if (is_new || kept == nullptr) {
      const double start = microseconds();
      auto grammar = compile(questions, seed, in_json);
      compiled.push_back((microseconds() - start) / 1000);
      if (!grammar.ok()) {
        std::fprintf(stderr, "constraint_bench: %s\n", grammar.error().message().c_str());
        return false;
      }
      nodes = std::max(nodes, grammar->size());
      grammar_used = ink::TokenGrammar::create(std::move(*grammar), tree);
      kept = grammar_used;
    }
    auto constraint = ink::Constraint::create(grammar_used, {.request = requests[seed % 3]});
    if (!constraint.ok()) return false;
    answer(**constraint, seed % questions.answers, in_json, is_new ? cold : warm);
  }
  std::sort(compiled.begin(), compiled.end());
  std::printf(",\n \"%s\": {\"grammar_ms_median\": %.2f, \"grammar_ms_most\": %.2f, \"grammar_nodes\": %zu",
              in_json ? "replies" : "calls", compiled[compiled.size() / 2], compiled.back(), nodes);
  print("new_grammar", cold);
  print("known_grammar", warm);
  std::printf("}");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: constraint_bench MODEL_GGUF_OR_TOKENIZER_JSON [CATALOGUE_JSON] [ANSWERS]\n");
    return 2;
  }
  const auto tokenizer = open_tokenizer(argv[1]);
  if (!tokenizer.ok()) return fail(tokenizer.error());
  const std::string path = argc > 2 ? argv[2] : "bench/constraint/tools.json";
  const auto catalogue = ink::parse_json(read(path), path);
  if (!catalogue.ok()) return fail(catalogue.error());
  Questions questions{catalogue->get<std::vector<ink::Json>>(), 200};
  if (argc > 3) questions.answers = std::strtoull(argv[3], nullptr, 10);
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
