// What an answer may be, byte by byte: replies, calls, copied pieces of the request, forced tokens, ends.
#include "runtime/constraint.h"

#include <random>

#include "runtime/constraint_walker.h"
#include "tests/runtime/constraint_samples.h"

namespace ink {
namespace {

using testing::accepted_bytes;
using testing::byte_tree;
using testing::call_text;
using testing::constraint_of;
using testing::grammar_of;
using testing::tool;

std::vector<Json> lamps() {
  return {tool("lamp", R"({"type": "object", "properties": {"on": {"type": "boolean"},
            "level": {"type": "integer", "minimum": 0, "maximum": 100}}, "required": ["on"]})"),
          tool("note", R"({"type": "object", "properties": {"text": {"type": "string", "copied": true}},
            "required": ["text"], "additionalProperties": false})")};
}

// Whole: accepted to the end, where the answer may stop.
bool is_whole(Constraint& constraint, std::string_view text) {
  constraint.reset();
  return accepted_bytes(constraint, text) == text.size() && constraint.can_stop();
}

bool copies(std::string_view request, std::string_view argument) {
  const auto grammar = grammar_of(lamps(), {.choice = ToolChoice::kRequired}, byte_tree(true));
  const auto constraint = Constraint::create(grammar, {.request = std::string(request)});
  EXPECT_TRUE(constraint.ok());
  return is_whole(**constraint, call_text("note", "{\"text\": \"" + std::string(argument) + "\"}"));
}

class Answers : public ::testing::TestWithParam<bool> {};  // whether the marks of calls are added tokens

TEST_P(Answers, AreRepliesOrCalls) {
  const auto constraint = constraint_of(grammar_of(lamps(), {}, byte_tree(GetParam())), {.request = "milk"});
  EXPECT_TRUE(is_whole(*constraint, ""));
  EXPECT_TRUE(is_whole(*constraint, "Good morning. 早晨\n\t1 < 2 <tool <tool_cal> <<tool_call"));
  const std::string lamp = call_text("lamp", R"({"on": true, "level": 40})");
  const std::string note = call_text("note", R"({"text": "milk"})");
  EXPECT_TRUE(is_whole(*constraint, lamp));
  EXPECT_TRUE(is_whole(*constraint, note + "\n" + lamp + "\n" + lamp));
  for (const std::string& wrong : {"Hello " + lamp, lamp + "\n", lamp + lamp, lamp + " ", lamp + "\nHello",
                                   std::string("<tool_call>x")}) {
    EXPECT_FALSE(is_whole(*constraint, wrong)) << wrong;
  }
}

TEST_P(Answers, OfferWhatTheChoiceSays) {
  const std::string lamp = call_text("lamp", R"({"on": false})");
  const auto needed = constraint_of(
      grammar_of(lamps(), {.choice = ToolChoice::kRequired}, byte_tree(GetParam())), {.request = "milk"});
  EXPECT_TRUE(is_whole(*needed, lamp));
  EXPECT_FALSE(is_whole(*needed, "")) << "a call is required";
  EXPECT_FALSE(is_whole(*needed, "Hello"));
  const auto none = constraint_of(grammar_of(lamps(), {.choice = ToolChoice::kNone}, byte_tree(GetParam())));
  EXPECT_TRUE(is_whole(*none, "Hello"));
  EXPECT_FALSE(is_whole(*none, lamp));
}

TEST_P(Answers, CountTheirCalls) {
  const auto two = constraint_of(grammar_of(lamps(), {.max_calls = 2}, byte_tree(GetParam())));
  const std::string lamp = call_text("lamp", R"({"on": true})");
  EXPECT_TRUE(is_whole(*two, lamp + "\n" + lamp));
  EXPECT_TRUE(two->must_stop());
  EXPECT_EQ(two->allowed().count(), 0);
  EXPECT_FALSE(is_whole(*two, lamp + "\n" + lamp + "\n" + lamp));
}

TEST_P(Answers, BeginWithEmptyLinesAfterThinking) {
  const auto constraint = constraint_of(grammar_of(lamps(), {.after_thinking = true}, byte_tree(GetParam())));
  const std::string lamp = call_text("lamp", R"({"on": true})");
  EXPECT_TRUE(is_whole(*constraint, "\n\n" + lamp));
  EXPECT_TRUE(is_whole(*constraint, "\n\nHello"));
  EXPECT_FALSE(is_whole(*constraint, lamp));
}

INSTANTIATE_TEST_SUITE_P(Marks, Answers, ::testing::Bool());

TEST(Constraint, AddedTokensAreNeverText) {
  const auto constraint = constraint_of(grammar_of(lamps(), {}, byte_tree(true)), {.request = "a <think> b"});
  const Tokenizer& tokenizer = constraint->tokenizer();
  EXPECT_TRUE(constraint->allowed().test(*tokenizer.find_added("<tool_call>")));
  for (const char* mark : {"<|im_end|>", "<think>", "</tool_call>"})
    EXPECT_FALSE(constraint->allowed().test(*tokenizer.find_added(mark))) << mark;
  EXPECT_TRUE(is_whole(*constraint, "<think>")) << "its characters are";
  accepted_bytes(*constraint, "Hello");
  for (const char* mark : {"<tool_call>", "</tool_call>", "<think>", "<|im_end|>"})
    EXPECT_FALSE(constraint->accept(*tokenizer.find_added(mark))) << mark;
  constraint->reset();
  EXPECT_TRUE(constraint->accept(*tokenizer.find_added("<tool_call>")));
  EXPECT_FALSE(constraint->accept('<'));
}

TEST(Constraint, ARefusedTokenChangesNothing) {
  const auto constraint = constraint_of(grammar_of(lamps(), {}, byte_tree(true)));
  EXPECT_TRUE(constraint->accept('H'));
  for (const int32_t id : {-1, 0x80, 1, 100000}) EXPECT_FALSE(constraint->accept(id));
  EXPECT_TRUE(constraint->accept('i'));
}

TEST(Constraint, RepliesAreUtf8WithoutControlCharacters) {
  const auto constraint = constraint_of(grammar_of({}, {}, byte_tree(true)));
  for (const char* good :
       {"caf\u00e9", "\u4f60\u597d", "\U0001f600", "\ufffd", "\ud7ff\ue000", "\U0010ffff", "\u00a0"})
    EXPECT_TRUE(is_whole(*constraint, good)) << good;
  for (const std::string& bad :
       {std::string("\x00", 1), std::string("\r"), std::string("\x1b[0m"), std::string("\x7f"),
        std::string("\xc2\x85"), std::string("\x80"), std::string("\xc0\xaf"), std::string("\xc3\x28"),
        std::string("\xe0\x80\x80"), std::string("\xed\xa0\x80"), std::string("\xf0\x80\x80\x80"),
        std::string("\xf4\x90\x80\x80"), std::string("\xf5"), std::string("\xff")}) {
    EXPECT_FALSE(is_whole(*constraint, bad)) << testing::letters_of(bad);
  }
  constraint->reset();
  EXPECT_EQ(accepted_bytes(*constraint, "\xe4\xbd"), 2u);
  EXPECT_FALSE(constraint->can_stop()) << "not inside of a character";
}

// Bytes as tokens: every choice that is none is forced.
TEST(Constraint, KnowsWhatIsForced) {
  const auto constraint = constraint_of(
      grammar_of(lamps(), {.choice = ToolChoice::kRequired}, byte_tree(true)), {.request = "milk"});
  std::string forced;
  const auto follow = [&] {
    forced.clear();
    while (const auto id = constraint->forced()) {
      forced += constraint->tokenizer().token_bytes(*id);
      EXPECT_TRUE(constraint->accept(*id));
    }
    return forced;
  };
  EXPECT_EQ(follow(), "<tool_call>\n{\"name\": \"");
  EXPECT_TRUE(constraint->accept('l'));
  EXPECT_EQ(follow(), "amp\", \"arguments\": {\"on\": ");
  EXPECT_TRUE(constraint->accept('f'));
  EXPECT_EQ(follow(), "alse");
  EXPECT_TRUE(constraint->accept('}'));
  EXPECT_EQ(follow(), "}\n</tool_call>");
  EXPECT_TRUE(constraint->can_stop());
  EXPECT_FALSE(constraint->must_stop()) << "another call may follow";
}

TEST(Constraint, AReplyThatIsLongEnoughEnds) {
  const auto grammar = grammar_of(lamps(), {}, byte_tree(true));
  const auto constraint = constraint_of(grammar, {.max_reply_tokens = 4});
  EXPECT_EQ(accepted_bytes(*constraint, "Hello"), 4u);
  EXPECT_TRUE(constraint->must_stop());
  constraint->reset();
  EXPECT_EQ(accepted_bytes(*constraint, "abc\u4f60."), 6u) << "a character is completed";
  EXPECT_TRUE(constraint->must_stop());
  EXPECT_TRUE(is_whole(*constraint, call_text("lamp", R"({"on": true})"))) << "calls have no such limit";
  EXPECT_FALSE(Constraint::create(grammar, {.max_reply_tokens = 0}).ok());
}

TEST(CopiedStrings, ArePiecesOfTheRequest) {
  EXPECT_TRUE(copies("remind me to buy milk", "buy milk"));
  EXPECT_TRUE(copies("remind me to buy milk", "remind me to buy milk"));
  EXPECT_TRUE(copies("remind me to buy milk", "to"));
  EXPECT_FALSE(copies("remind me to buy milk", "sell milk"));
  EXPECT_FALSE(copies("remind me to buy milk", "Buy milk")) << "no folding of case";
  EXPECT_FALSE(copies("remind me to buy milk", ""));
  EXPECT_FALSE(copies("buy milk, buy bread", "buy milk bread"));
  EXPECT_TRUE(copies("buy milk, buy bread", "buy bread"));
}

TEST(CopiedStrings, KeepWordsAndCharactersWhole) {
  EXPECT_FALSE(copies("buy milk", "uy milk"));
  EXPECT_FALSE(copies("buy milk", "buy mil"));
  EXPECT_FALSE(copies("room 101", "10"));
  EXPECT_FALSE(copies("buy milk", "buy "));
  EXPECT_FALSE(copies("buy milk", " milk"));
  EXPECT_TRUE(copies("mom's cake", "mom")) << "a word ends at a sign";
  EXPECT_TRUE(copies("半個鐘之後叫我熄火", "熄火"));
  EXPECT_TRUE(copies("打俾Amy話我遲到", "Amy"));
  EXPECT_FALSE(copies("打俾Amy話我遲到", "Am"));
  EXPECT_FALSE(copies("熄火", "\xe7\x86\x84\xe7")) << "half a character";
  EXPECT_FALSE(copies("a\u3000", "a\u3000"));
  EXPECT_FALSE(copies("\u00a0b", "\u00a0b"));
}

TEST(CopiedStrings, AreEscapedAsJson) {
  EXPECT_TRUE(copies("say \"hi\" \\o/", R"(say \"hi\" \\o/)"));
  EXPECT_TRUE(copies("say \"hi\"", R"(\"hi\")"));
  EXPECT_FALSE(copies("say \"hi\"", R"(\"hi")"));
  EXPECT_TRUE(copies("one\ntwo", R"(one\ntwo)"));
  EXPECT_TRUE(copies("a\x01z", R"(a\u0001z)"));
  EXPECT_FALSE(copies("one\ntwo", "one\ntwo"));
}

TEST(CopiedStrings, EndBeforeBytesThatAreNoText) {
  EXPECT_TRUE(copies("milk\xff bread", "milk"));
  EXPECT_TRUE(copies("milk\xff bread", "bread"));
  EXPECT_FALSE(copies("milk\xff bread", "milk\xff bread"));
  // The space leads nowhere but to the byte, so it is not offered either.
  const auto constraint = constraint_of(grammar_of(lamps(), {}, byte_tree(true)), {.request = "milk \xff"});
  const std::string begun = "<tool_call>\n{\"name\": \"note\", \"arguments\": {\"text\": \"milk";
  EXPECT_EQ(accepted_bytes(*constraint, begun), begun.size());
  EXPECT_EQ(constraint->allowed().count(), 1);
  EXPECT_TRUE(constraint->allowed().test('"'));
}

TEST(CopiedStrings, ACallThatNeedsOneIsNotOfferedWithoutAny) {
  for (const char* request : {"", "  \n\t", "\xff\xfe"}) {
    const auto constraint = constraint_of(
        grammar_of(lamps(), {.choice = ToolChoice::kRequired}, byte_tree(true)), {.request = request});
    const std::string begun = "<tool_call>\n{\"name\": \"";
    EXPECT_EQ(accepted_bytes(*constraint, begun + "note"), begun.size());
    EXPECT_TRUE(is_whole(*constraint, call_text("lamp", R"({"on": true})")));
  }
  const std::vector<Json> only = {lamps()[1]};
  const auto nothing = Constraint::create(
      grammar_of(only, {.choice = ToolChoice::kRequired}, byte_tree(true)), {.request = " "});
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().kind, ErrorKind::kInvalid);
  const auto reply = constraint_of(grammar_of(only, {}, byte_tree(true)), {.request = " "});
  EXPECT_TRUE(is_whole(*reply, "What should I write down?"));
  EXPECT_FALSE(reply->accept(*reply->tokenizer().find_added("<tool_call>")));
}

TEST(CopiedStrings, AnOptionalOneIsLeftOutWithoutAny) {
  const std::vector<Json> tools = {
      tool("play",
           R"({"type": "object", "properties": {"query": {"type": "string", "copied": true, "minLength": 1},
           "loud": {"type": "boolean"}}})")};
  const auto constraint =
      constraint_of(grammar_of(tools, {.choice = ToolChoice::kRequired}, byte_tree(true)));
  EXPECT_TRUE(is_whole(*constraint, call_text("play", "{}")));
  EXPECT_TRUE(is_whole(*constraint, call_text("play", R"({"loud": true})")));
  const std::string begun = "<tool_call>\n{\"name\": \"play\", \"arguments\": {\"";
  constraint->reset();
  EXPECT_EQ(accepted_bytes(*constraint, begun + "query"), begun.size());
}

TEST(Constraint, ALongRequestIsRefused) {
  const auto grammar = grammar_of(lamps(), {}, byte_tree(true));
  const auto refused = Constraint::create(grammar, {.request = std::string(70'000, 'a')});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
  const auto longest = constraint_of(grammar, {.request = std::string(65'536, 'a')});
  EXPECT_TRUE(is_whole(*longest, call_text("note", "{\"text\": \"" + std::string(65'536, 'a') + "\"}")));
}

// Masks are shared by all answers of one grammar; that must not carry one request into another.
TEST(Constraint, AnswersOfOneGrammarDoNotKnowEachOther) {
  const auto grammar = grammar_of(lamps(), {.choice = ToolChoice::kRequired}, testing::pocket_tree());
  const Tokenizer& tokenizer = testing::pocket_tree()->tokenizer();
  const std::vector<int32_t> begun =
      tokenizer.encode({{{"<tool_call>\n{\"name\": \"note\", \"arguments\": {\"text", true}}});
  std::vector<TokenMask> masks;
  for (const char* request : {"milk", "bread", "", "milk"}) {
    const auto constraint = constraint_of(grammar, {.request = request});
    const bool empty = *request == '\0';
    for (const int32_t id : begun) EXPECT_TRUE(constraint->accept(id) || empty);
    masks.push_back(constraint->allowed());
    const auto alone = constraint_of(
        grammar_of(lamps(), {.choice = ToolChoice::kRequired}, testing::pocket_tree()), {.request = request});
    for (const int32_t id : begun) alone->accept(id);
    EXPECT_EQ(alone->allowed(), masks.back()) << request;
  }
  EXPECT_EQ(masks[0], masks[3]);
  EXPECT_NE(masks[0], masks[2]);
}

TEST(Constraint, ManyMasksAreForgottenFromTheOldestOn) {
  const auto grammar = grammar_of(lamps(), {}, byte_tree(true));
  const auto mask_of = [](size_t i) {
    auto mask = std::make_shared<TokenMask>(1000);
    mask->set(static_cast<int32_t>(i), true);
    return mask;
  };
  const size_t all = TokenGrammar::kMaxMasks + 100;
  for (size_t i = 0; i < all; ++i) {
    grammar->keep_mask(std::to_string(i), mask_of(i));
    grammar->keep_mask(std::to_string(i), mask_of(999));  // the same again counts once
  }
  for (size_t i = 0; i < all; ++i) {
    const auto known = grammar->find_mask(std::to_string(i));
    ASSERT_EQ(known == nullptr, i < 100) << i;
    EXPECT_TRUE(known == nullptr || known->only() == static_cast<int32_t>(i));
  }
}

// Whether the bytes can be walked one by one from a state.
bool can_walk(GrammarWalker& walker, GrammarWalker::State state, std::string_view bytes) {
  for (size_t i = 0; i < bytes.size() && state != GrammarWalker::kDead; ++i)
    state = walker.step(state, static_cast<uint8_t>(bytes[i]));
  return state != GrammarWalker::kDead;
}

// A mask says exactly which tokens can be walked byte by byte.
void expect_what_the_bytes_say(Constraint& tokens, GrammarWalker& walker, GrammarWalker::State state) {
  const Tokenizer& tokenizer = tokens.tokenizer();
  for (int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const std::string_view token = tokenizer.token_bytes(id);
    if (tokenizer.find_added(token) || token.empty()) continue;
    ASSERT_EQ(tokens.allowed().test(id), can_walk(walker, state, token)) << "'" << token << "'";
  }
}

GrammarWalker::State accept_both(Constraint& tokens, GrammarWalker& walker, GrammarWalker::State state,
                                 int32_t id) {
  const std::string_view bytes = tokens.tokenizer().token_bytes(id);
  EXPECT_TRUE(tokens.accept(id)) << bytes;
  if (tokens.tokenizer().find_added(bytes)) return walker.step_marker(state, id);
  for (const char c : bytes) state = walker.step(state, static_cast<uint8_t>(c));
  return state;
}

void expect_exact_masks_along(const std::vector<Json>& tools, const std::string& request,
                              const std::string& text) {
  const auto tree = testing::pocket_tree();
  const auto tokens = constraint_of(grammar_of(tools, {}, tree), {.request = request});
  const auto spelled = grammar_of(tools, {}, tree);
  GrammarWalker walker(*spelled, request);
  auto state = walker.start();
  for (const int32_t next : tree->tokenizer().encode({{{text, true}}})) {
    expect_what_the_bytes_say(*tokens, walker, state);
    state = accept_both(*tokens, walker, state, next);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_TRUE(tokens->can_stop());
  EXPECT_TRUE(walker.at_end(state));
}

// Also near the limits of counts, where masks of different states are told apart.
TEST(Constraint, MasksAreWhatTheBytesSay) {
  const std::vector<Json> tools = {tool(
      "f", R"({"type": "object", "properties": {"s": {"type": "string", "minLength": 30, "maxLength": 70},
           "c": {"type": "string", "copied": true}, "n": {"type": "integer", "minimum": -77, "maximum": 1234}}})")};
  expect_exact_masks_along(
      tools, "say hello to 小明",
      call_text("f", "{\"s\": \"" + std::string(66, 'x') + "\", \"c\": \"hello to\", \"n\": -7}"));
}

// Before a key any letter may follow, but some begin a key that is declared.
TEST(Constraint, MasksOfKeysAreWhatTheBytesSay) {
  const std::vector<Json> tools = {
      tool("f", R"({"type": "object", "properties": {"title": {"type": "integer"}, "time": {"type": "null"},
           "2x": {"type": "boolean"}, "été": {"type": "boolean"}}, "additionalProperties": {}})")};
  for (const char* arguments :
       {R"({"title": 7, "été": true, "tomb": [1, "a"]})", R"({"tim": null, "time5": "x", "": {"ti": 2.5}})",
        R"({"time": null, "2x": false, "2": "\"", "é": {}})"}) {
    SCOPED_TRACE(arguments);
    expect_exact_masks_along(tools, "", call_text("f", arguments));
  }
}

// The same at random places of texts, whose tokens are mostly allowed together.
TEST(Constraint, MasksOfTextsAreWhatTheBytesSay) {
  const auto tree = testing::pocket_tree();
  for (const char* property :
       {R"({"type": "string", "format": "email"})", R"({"type": "string", "format": "uri", "maxLength": 40})",
        R"({"type": "string", "format": "hostname"})",
        R"({"type": "string", "minLength": 3, "maxLength": 25})",
        R"({"type": "string", "pattern": "^[^<>]+$", "maxLength": 30})",
        R"({"type": "string", "pattern": "^[a-z_][a-z0-9_]*$"})",
        R"({"type": "string", "pattern": "^[a-z_][a-z0-9_]*$", "maxLength": 10})",
        R"({"type": "string", "pattern": "^[A-Z]{3}$"})",
        R"({"type": "string", "pattern": "^[^\\d]{3,20}$"})",
        R"({"type": "string", "pattern": "^[A-Za-z][A-Za-z ]{0,9}$"})",
        R"({"type": "string", "pattern": "^([A-Z][a-z]+ ?)+$"})", R"({"type": "string", "pattern": "x.y"})",
        R"({"anyOf": [{"enum": ["economy", "t", "tea 2"]}, {"type": "string", "minLength": 2}]})", "{}"}) {
    SCOPED_TRACE(property);
    const auto grammar =
        grammar_of({tool("f", R"({"type": "object", "required": ["s"], "properties": {"s": )" +
                                  std::string(property) + "}}")},
                   {.choice = ToolChoice::kRequired, .xml_calls = property == std::string_view("{}")}, tree);
    for (uint64_t seed = 0; seed < 3; ++seed) {
      std::mt19937_64 random(seed);
      const auto tokens = constraint_of(grammar);
      GrammarWalker walker(*grammar, "");
      auto state = walker.start();
      for (int step = 0; step < 40 && !tokens->must_stop(); ++step) {
        expect_what_the_bytes_say(*tokens, walker, state);
        std::vector<int32_t> allowed;
        for (int32_t id = 0; id < tree->tokenizer().vocabulary_size(); ++id) {
          if (tokens->allowed().test(id)) allowed.push_back(id);
        }
        ASSERT_EQ(tokens->forced().has_value(), allowed.size() == 1 && !tokens->can_stop());
        if (allowed.empty()) break;
        state = accept_both(*tokens, walker, state, allowed[random() % allowed.size()]);
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

// More states than are kept at once: 10,000 counted characters.
TEST(Constraint, ForgottenStatesAreMadeAgain) {
  const std::vector<Json> tools = {
      tool("f", R"({"type": "object", "properties": {"s": {"type": "string", "maxLength": 10000}}})")};
  const auto constraint = constraint_of(grammar_of(tools, {}, byte_tree(true)));
  EXPECT_TRUE(is_whole(*constraint, call_text("f", "{\"s\": \"" + std::string(10000, 'x') + "\"}")));
  EXPECT_FALSE(is_whole(*constraint, call_text("f", "{\"s\": \"" + std::string(10001, 'x') + "\"}")));
}

}  // namespace
}  // namespace ink
