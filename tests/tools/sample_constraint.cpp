// Random texts of constraints, as a model with random weights would write them, for
// tests/e2e/json_schema_suite.py.
//   sample_constraint MODEL_GGUF SAMPLES < lines
// Each line is a JSON object: {"schema": …}, {"gbnf": …} or {"tools": […], "xml": bool}. For each line one
// line of JSON is written: {"error": …, "kind": …}, or {"texts": [those that came to their end], "cut": how
// many did not}.
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "runtime/constraint.h"
#include "runtime/grammar_tools.h"
#include "runtime/model_files.h"
#include "tensor/checkpoint.h"

namespace {

constexpr int kMostTokens = 300;

// The k-th allowed token.
int32_t choose(const ink::TokenMask& mask, std::mt19937_64& random) {
  auto k = static_cast<int64_t>(random() % static_cast<uint64_t>(mask.count()));
  for (int32_t id = mask.lowest();; ++id) {
    if (mask.test(id) && k-- == 0) return id;
  }
}

// Every other token is drawn from those of one byte that close something, where one is allowed, so that texts
// end.
bool sample(ink::Constraint& constraint, uint64_t seed, std::string& text) {
  std::mt19937_64 random(seed);
  const ink::Tokenizer& tokenizer = constraint.tokenizer();
  std::vector<int32_t> closing;
  for (int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const auto bytes = tokenizer.token_bytes(id);
    if (bytes == "\"" || bytes == "}" || bytes == "]" || bytes == "</") closing.push_back(id);
  }
  for (int count = 0; count < kMostTokens; ++count) {
    const ink::TokenMask& allowed = constraint.allowed();
    if (constraint.must_stop() || (constraint.can_stop() && random() % 4 == 0)) return true;
    if (allowed.count() == 0) {
      std::cerr << "a dead end after " << text << "\n";
      std::exit(1);
    }
    int32_t id = choose(allowed, random);
    const int32_t close = closing[random() % closing.size()];
    if (allowed.test(close) && random() % 3 == 0) id = close;
    text += tokenizer.token_bytes(id);
    if (!constraint.accept(id)) std::exit(1);
  }
  return constraint.can_stop();
}

ink::Json answer(const ink::Json& line, const std::shared_ptr<const ink::TokenTree>& tree, uint64_t samples) {
  ink::ToolGrammarOptions options;
  std::vector<ink::Json> tools;
  if (line.contains("schema")) {
    options.reply.kind = ink::ReplyFormat::Kind::kJsonSchema;
    options.reply.schema = line["schema"];
  } else if (line.contains("gbnf")) {
    options.reply.kind = ink::ReplyFormat::Kind::kGbnf;
    options.reply.gbnf = line["gbnf"];
  } else {
    tools = line["tools"].get<std::vector<ink::Json>>();
    options.choice = ink::ToolChoice::kRequired;
    options.xml_calls = line["xml"];
    options.max_calls = 1;
  }
  auto grammar = ink::compile_tools(tools, options);
  ink::Json result;
  if (!grammar.ok()) {
    result["error"] = grammar.error().message();
    result["kind"] = static_cast<int>(grammar.error().kind);
    return result;
  }
  const auto shared = ink::TokenGrammar::create(std::move(*grammar), tree);
  result["texts"] = ink::Json::array();
  result["cut"] = 0;
  for (uint64_t seed = 0; seed < samples; ++seed) {
    auto constraint = ink::Constraint::create(shared, {});
    std::string text;
    if (constraint.ok() && sample(**constraint, seed, text)) {
      result["texts"].push_back(text);
    } else {
      result["cut"] = result["cut"].get<int>() + 1;
    }
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto checkpoint = ink::Checkpoint::open(argv[1]);
  if (!checkpoint.ok()) return 2;
  const auto tokenizer = ink::read_tokenizer(*checkpoint);
  if (!tokenizer.ok()) return 2;
  const auto tree = ink::TokenTree::create(*tokenizer);
  for (std::string line; std::getline(std::cin, line);) {
    const auto json = ink::parse_json(line, "line");
    if (!json.ok()) return 2;
    std::cout << answer(*json, tree, std::strtoull(argv[2], nullptr, 10)).dump() << "\n";
  }
  return 0;
}
