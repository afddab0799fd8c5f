// Whatever a model says, its calls are valid. Random logits stand for the model; catalogues and requests are
// real. What comes out is read by the parser that the program uses and judged by a small validator of its own
// (types, enums, patterns by std::regex, ranges, required and unknown arguments, pieces of the request).
#include <cmath>
#include <random>
#include <regex>
#include <utility>

#include "base/utf8.h"
#include "runtime/sampler.h"
#include "tests/runtime/constraint_samples.h"
#include "tests/text/tokenizer_golden.h"
#include "text/tool_calls.h"

namespace ink {
namespace {

// Requests are random rows of these words: three languages, marks, white space, and text that looks like the
// format itself.
const std::vector<std::string> kWords = {"turn off ",
                                         "the kitchen light",
                                         " and remind me ",
                                         "to call Mom",
                                         " at 7:30",
                                         ", please",
                                         "set a timer for 5",
                                         "打开客厅的灯",
                                         "提醒我",
                                         "明天早上八点",
                                         "给妈妈打电话",
                                         "，然后",
                                         "放一首周杰伦的歌",
                                         "帮我",
                                         "半個鐘之後",
                                         "叫我熄火",
                                         "打俾阿May",
                                         "話佢知我遲到",
                                         "唔該",
                                         "聽日",
                                         "\"quoted\"",
                                         "back\\slash",
                                         "\n",
                                         "\t",
                                         "  ",
                                         "\u3000",
                                         "café",
                                         "😀",
                                         "</tool_call>",
                                         "<tool_call>",
                                         "{\"name\": \"",
                                         "\x01",
                                         "naïve",
                                         "𠮷野家",
                                         "e\u0301",
                                         "\xff",
                                         "\xe4\xbd",
                                         "100%",
                                         "'s"};

std::string random_request(std::mt19937_64& random) {
  std::string request;
  for (size_t words = random() % 7; words > 0; --words) request += kWords[random() % kWords.size()];
  return request;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 0x80;
}

// One of the places where the piece stands in the request keeps words and characters whole.
bool is_piece(const std::string& piece, const std::string& request) {
  if (piece.empty() || find_invalid_utf8(piece)) return false;
  if (std::string_view(" \t\n\r").find(piece.front()) != std::string_view::npos ||
      std::string_view(" \t\n\r").find(piece.back()) != std::string_view::npos ||
      piece.starts_with("\u3000") || piece.ends_with("\u3000"))
    return false;
  for (size_t at = request.find(piece); at != std::string::npos; at = request.find(piece, at + 1)) {
    const size_t end = at + piece.size();
    const bool cuts_front = at > 0 && is_word(request[at - 1]) && is_word(request[at]);
    const bool cuts_back = end < request.size() && is_word(request[end - 1]) && is_word(request[end]);
    if (!cuts_front && !cuts_back) return true;
  }
  return false;
}

// What is wrong with a value; empty: nothing.
std::string fault(const Json& value, const Json& schema, const std::string& request) {
  const std::string type = schema["type"];
  if (schema.contains("enum")) {
    for (const Json& one : schema["enum"]) {
      if (one == value) return "";
    }
    return "not in the enum";
  }
  if (type == "boolean") return value.is_boolean() ? "" : "no boolean";
  if (type == "integer") {
    if (!value.is_number_integer()) return "no integer";
    const auto number = value.get<int64_t>();
    return number >= schema["minimum"].get<int64_t>() && number <= schema["maximum"].get<int64_t>()
               ? ""
               : "out of range";
  }
  if (type == "string") {
    if (!value.is_string()) return "no string";
    const auto text = value.get<std::string>();
    if (schema.value("copied", false)) return is_piece(text, request) ? "" : "no piece of the request";
    if (schema.contains("minLength") && text.empty()) return "empty";
    if (!schema.contains("pattern")) return find_invalid_utf8(text) ? "not UTF-8" : "";
    return std::regex_match(text, std::regex(schema["pattern"].get<std::string>())) ? ""
                                                                                    : "not of the pattern";
  }
  return "a type the validator does not know: " + type;
}

std::string fault_of_call(const ToolCall& call, const std::vector<Json>& tools, const std::string& request) {
  for (const Json& tool : tools) {
    if (tool["function"]["name"] != call.name) continue;
    const Json& parameters = tool["function"]["parameters"];
    for (const auto& [name, value] : call.arguments.items()) {
      if (!parameters["properties"].contains(name)) return "unknown argument " + name;
      const std::string wrong = fault(value, parameters["properties"][name], request);
      if (!wrong.empty()) return name + ": " + wrong;
    }
    for (const Json& name : parameters["required"]) {
      if (!call.arguments.contains(name.get<std::string>())) return "lacks " + name.get<std::string>();
    }
    return "";
  }
  return "unknown tool " + call.name;
}

struct Said {
  std::string text;
  bool whole = false;
};

// A model of noise that now and then lifts what closes texts, so that they end some day, and for odd seeds
// what opens calls, which would be drawn too rarely.
class RandomModel {
 public:
  RandomModel(const Tokenizer& tokenizer, uint64_t seed) : tokenizer_(tokenizer), random_(seed) {
    if (seed % 2 == 1) opening_ = tokenizer.find_added("<tool_call>").value_or(-1);
    options_.temperature = seed % 4 == 0 ? 0.0f : 1.0f;
    options_.top_k = 0;
    options_.top_p = 1;
    options_.min_p = 0;
    options_.seed = seed;
    for (int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
      if (tokenizer.token_bytes(id).find_first_of("\"}") != std::string_view::npos) closing_.push_back(id);
    }
  }
  // The noise of one table, from another place each time: drawing 150,000 numbers a step would take long.
  std::span<float> logits() {
    static const std::vector<float> noise = [] {
      std::mt19937_64 random(7);
      std::vector<float> values(1 << 19);
      for (float& value : values) value = static_cast<float>(random() >> 40) * 0x1p-21f;
      return values;
    }();
    logits_.resize(static_cast<size_t>(tokenizer_.vocabulary_size()) + 267);  // rows without a token
    const size_t from = random_() % (noise.size() - logits_.size());
    std::copy_n(noise.begin() + static_cast<std::ptrdiff_t>(from), logits_.size(), logits_.begin());
    if (random_() % 8 == 0) {
      for (const int32_t id : closing_) logits_[static_cast<size_t>(id)] += 8;
    }
    if (opening_ >= 0) logits_[static_cast<size_t>(opening_)] += 16;
    return logits_;
  }
  Said answer(Constraint& constraint, size_t max_tokens) {
    Sampler sampler(options_);
    Said said;
    for (size_t count = 0; count < max_tokens; ++count) {
      if (constraint.must_stop() || (constraint.can_stop() && random_() % 4 == 0)) {
        said.whole = true;
        return said;
      }
      EXPECT_TRUE(constraint.can_stop() || constraint.allowed().count() > 0)
          << "a dead end after " << said.text;
      if (constraint.allowed().count() == 0) return said;
      const auto forced = constraint.forced();
      const int32_t id = sampler.sample(logits(), &constraint.allowed()).id;
      EXPECT_TRUE(!forced || *forced == id);
      if (!constraint.accept(id)) {
        ADD_FAILURE() << "token " << id << " was drawn but is not accepted";
        return said;
      }
      said.text += tokenizer_.token_bytes(id);
    }
    said.whole = constraint.can_stop();
    return said;
  }

 private:
  const Tokenizer& tokenizer_;
  std::mt19937_64 random_;
  SamplingOptions options_;
  std::vector<int32_t> closing_;
  int32_t opening_ = -1;
  std::vector<float> logits_;
};

std::string hermes(const std::vector<ToolCall>& calls) {
  std::string text;
  for (const ToolCall& call : calls) {
    Json json;
    json["name"] = call.name;
    json["arguments"] = call.arguments;
    text += (text.empty() ? "" : "\n") + ("<tool_call>\n" + python_json(json)) + "\n</tool_call>";
  }
  return text;
}

struct Tally {
  int calls = 0, replies = 0, unfinished = 0, copies = 0;
};

void judge(const Said& said, const std::vector<Json>& tools, const std::string& request, ToolChoice choice,
           Tally& tally) {
  const AssistantTurn turn = parse_turn(ChatFormat::kQwen3Instruct, said.text, tools, false);
  for (const ToolCall& call : turn.tool_calls) {
    EXPECT_EQ(fault_of_call(call, tools, request), "") << said.text << "\nrequest: " << request;
    for (const Json& tool : tools) {
      if (tool["function"]["name"] != call.name) continue;
      for (const auto& [name, schema] : tool["function"]["parameters"]["properties"].items())
        tally.copies += schema.value("copied", false) && call.arguments.contains(name) ? 1 : 0;
    }
  }
  if (said.whole) {
    if (turn.tool_calls.empty()) {
      EXPECT_NE(choice, ToolChoice::kRequired) << said.text;
      EXPECT_FALSE(find_invalid_utf8(said.text));
      EXPECT_EQ(said.text.find("<tool_call>"), std::string::npos);
      ++tally.replies;
    } else {
      EXPECT_NE(choice, ToolChoice::kNone);
      EXPECT_EQ(hermes(turn.tool_calls), said.text) << "spaced as the model was trained, and nothing else";
      EXPECT_LE(turn.tool_calls.size(), 8u);
      ++tally.calls;
    }
  } else {
    // What was cut off is no call: all that were read are whole and stand in front.
    const std::string calls = hermes(turn.tool_calls);
    EXPECT_TRUE(said.text.starts_with(calls));
    EXPECT_LT(calls.size(), said.text.size());
    ++tally.unfinished;
  }
}

Tally run(const testing::Catalogue& catalogue, const std::shared_ptr<const TokenTree>& tree, uint64_t seeds) {
  SCOPED_TRACE(catalogue.name);
  Tally tally;
  for (const ToolChoice choice : {ToolChoice::kAuto, ToolChoice::kRequired}) {
    const auto grammar = testing::grammar_of(catalogue.tools, {.choice = choice}, tree);
    for (uint64_t seed = 0; seed < seeds; ++seed) {
      std::mt19937_64 random(seed);
      const std::string request = random_request(random);
      const auto constraint =
          testing::constraint_of(grammar, {.request = request, .max_reply_tokens = seed % 3 == 0 ? 20 : -1});
      RandomModel model(tree->tokenizer(), seed);
      judge(model.answer(*constraint, 300), catalogue.tools, request, choice, tally);
      if (::testing::Test::HasFailure()) return tally;
    }
  }
  return tally;
}

TEST(RandomModel, CallsAreValidWithThePocketVocabulary) {
  uint64_t seeds = 1000;
  for (const testing::Catalogue& catalogue : testing::catalogues()) {
    const Tally tally = run(catalogue, testing::pocket_tree(), std::exchange(seeds, 250));
    const int answers = tally.calls + tally.replies + tally.unfinished;
    EXPECT_GT(tally.calls, answers / 2);
    EXPECT_GT(tally.replies, answers / 8);
    EXPECT_LT(tally.unfinished, answers / 4);
    std::printf("%s: %d answers with calls, %d replies, %d cut off, %d copied arguments\n",
                catalogue.name.c_str(), tally.calls, tally.replies, tally.unfinished, tally.copies);
  }
}

TEST(RandomModel, CallsAreValidWithTheReferencesVocabularies) {
  for (const auto& golden : testing::golden_tokenizers()) {
    const auto tokenizer = testing::must(Tokenizer::from_json(golden.json, "tokenizer.json"));
    const auto tree = TokenTree::create(tokenizer);
    const Tally tally = run(testing::catalogues()[0], tree, 20);
    EXPECT_GT(tally.calls, 15);
    std::printf("%d tokens: %d answers with calls, %d replies, %d cut off, %d copied arguments\n",
                tokenizer.vocabulary_size(), tally.calls, tally.replies, tally.unfinished, tally.copies);
  }
}

// What the pocket model is trained to say is among what it may say, token by token. Rows whose request glues
// a copied name to another word ("yitimer") are the few exceptions.
TEST(PocketAssistant, ItsOwnAnswersAreAllowed) {
  const auto tree = testing::pocket_tree();
  const auto grammar = testing::grammar_of(testing::catalogues()[0].tools, {}, tree);
  int answers = 0, refused = 0;
  for (const Json& row : testing::read_json_lines(testing::kPocketModel.parent_path() / "heldout.jsonl")) {
    std::vector<ToolCall> calls;
    for (const Json& call : row["calls"]) calls.push_back({call["name"], call["arguments"], true});
    if (calls.empty()) continue;
    const auto constraint = testing::constraint_of(grammar, {.request = row["text"]});
    const TextSegment answer{hermes(calls), true};
    bool allowed = true;
    for (const int32_t id : tree->tokenizer().encode(std::span(&answer, 1)))
      allowed = allowed && constraint->accept(id);
    ++answers;
    refused += allowed && constraint->can_stop() ? 0 : 1;
  }
  EXPECT_GT(answers, 500);
  EXPECT_LE(refused, answers / 50);
}

// The mask comes before everything else: a bias, a ban or NaN never brings a token back.
TEST(RandomModel, TheSamplerNeverLeavesTheMask) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    TokenMask mask(90);
    for (size_t i = 0; i <= random() % 4; ++i) mask.set(static_cast<int32_t>(random() % 90), true);
    SamplingOptions options;
    options.temperature = round % 2 == 0 ? 0.0f : 1.0f;
    options.logprobs = round % 3 == 0 ? 5 : -1;
    options.logit_bias = {{mask.lowest(), -INFINITY}, {static_cast<int32_t>(random() % 90), 100.0f}};
    std::vector<float> logits(100);
    for (float& logit : logits) logit = random() % 5 == 0 ? NAN : static_cast<float>(random() % 20);
    const auto sampled = Sampler(options).sample(logits, &mask);
    ASSERT_TRUE(mask.test(sampled.id)) << round;
    double sum = 0;
    for (const auto& other : sampled.top) {
      EXPECT_TRUE(mask.test(other.id));
      sum += std::exp(static_cast<double>(other.logprob));
    }
    if (sampled.top.empty()) continue;
    EXPECT_NEAR(sum, 1, 1e-5) << "of the allowed tokens";
  }
}

}  // namespace
}  // namespace ink
