// Replies of a form (JSON, a schema, GBNF), and calls in the XML dialect, which the reader of calls has to
// understand as they are meant.
#include "runtime/grammar_gbnf.h"
#include "tests/runtime/constraint_samples.h"
#include "text/tool_calls.h"

namespace ink {
namespace {

using testing::accepted_bytes;
using testing::byte_tree;
using testing::constraint_of;
using testing::grammar_of;
using testing::json;
using testing::tool;

bool reply_fits(const ReplyFormat& reply, const std::string& text) {
  const auto constraint = constraint_of(grammar_of({}, {.reply = reply}, byte_tree(true)));
  return accepted_bytes(*constraint, text) == text.size() && constraint->can_stop();
}

ReplyFormat schema_reply(std::string_view schema) {
  return {ReplyFormat::Kind::kJsonSchema, json(schema), {}};
}
ReplyFormat gbnf_reply(std::string_view text) { return {ReplyFormat::Kind::kGbnf, {}, std::string(text)}; }

void expect_gbnf(std::string_view grammar, const std::vector<std::string>& good,
                 const std::vector<std::string>& bad) {
  for (const std::string& text : good)
    EXPECT_TRUE(reply_fits(gbnf_reply(grammar), text)) << grammar << "\n" << text;
  for (const std::string& text : bad)
    EXPECT_FALSE(reply_fits(gbnf_reply(grammar), text)) << grammar << "\n" << text;
}

void expect_gbnf_refused(std::string_view grammar, ErrorKind kind, std::string_view named) {
  const auto made = compile_tools({}, {.reply = gbnf_reply(grammar)});
  ASSERT_FALSE(made.ok()) << grammar;
  EXPECT_EQ(made.error().kind, kind) << made.error().message();
  EXPECT_NE(made.error().message().find(named), std::string::npos) << made.error().message();
}

TEST(ReplyFormat, AnyJsonObject) {
  const ReplyFormat any{ReplyFormat::Kind::kJsonObject, {}, {}};
  for (const char* good : {"{}", R"({"a": [1, 2.5, {"b": null}], "c": "d"})", R"({"a":[1,true],"b":{}})",
                           "{\n  \"a\": [\n    1,\n    2\n  ]\n}"})
    EXPECT_TRUE(reply_fits(any, good)) << good;
  for (const char* bad :
       {"[]", "1", "", "{", R"({"a"})", R"({"a": 1,})", R"({"a" : 1})", R"({"a": 01})", "{} "})
    EXPECT_FALSE(reply_fits(any, bad)) << bad;
}

TEST(ReplyFormat, JsonOfASchema) {
  const auto reply =
      schema_reply(R"({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})");
  for (const char* good : {R"({"n": 1})", R"({"n":1})", "{\n  \"n\": 1\n}"})
    EXPECT_TRUE(reply_fits(reply, good)) << good;
  for (const char* bad : {"{}", R"({"n": "1"})", "<tool_call>"}) EXPECT_FALSE(reply_fits(reply, bad)) << bad;
  EXPECT_TRUE(reply_fits(schema_reply(R"({"enum": ["yes", "no"]})"), R"("yes")"))
      << "any value, not objects alone";
  const auto refused =
      compile_tools({}, {.reply = schema_reply(R"({"type": "object", "properties": {"a": {"not": {}}}})")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(refused.error().message().find("response_format.properties.a.not"), std::string::npos);
}

TEST(ReplyFormat, BesideTools) {
  const std::vector<Json> tools = {tool("f", R"({"type": "object", "properties": {}})")};
  const auto both =
      constraint_of(grammar_of(tools, {.reply = {ReplyFormat::Kind::kJsonObject, {}, {}}}, byte_tree(true)));
  const std::string call = testing::call_text("f", "{}");
  EXPECT_EQ(accepted_bytes(*both, call), call.size());
  both->reset();
  EXPECT_EQ(accepted_bytes(*both, "{}"), 2U);
  EXPECT_FALSE(compile_tools(tools, {.reply = gbnf_reply("root ::= \"a\"")}).ok());
  EXPECT_TRUE(
      compile_tools(tools, {.choice = ToolChoice::kNone, .reply = gbnf_reply("root ::= \"a\"")}).ok());
}

TEST(ReplyFormat, ValuesNestOnlyAsDeepAsTheyCanBeRead) {
  const auto constraint =
      constraint_of(grammar_of({}, {.reply = schema_reply(R"({"type": "array"})")}, byte_tree(true)));
  while (constraint->allowed().test('[')) ASSERT_TRUE(constraint->accept('['));
  size_t closed = 0;
  for (; constraint->allowed().test(']'); ++closed) ASSERT_TRUE(constraint->accept(']'));
  EXPECT_TRUE(constraint->can_stop());
  EXPECT_GT(closed, 20U);
  EXPECT_LT(closed, static_cast<size_t>(kMaxJsonDepth));
}

TEST(Gbnf, TextsOfTheNotation) {
  expect_gbnf("root ::= \"a\" | \"b\" \"c\"", {"a", "bc"}, {"", "b", "ac"});
  expect_gbnf("root ::= item+ # comment\nitem ::= [a-c]{2,3} \"\\n\"", {"ab\n", "abc\ncc\n"},
              {"", "a\n", "abcc\n", "ab"});
  expect_gbnf("root ::= (\"x\" |\n  \"y\")* [^x-z\\]]?\n\n", {"", "xyx", "xa"}, {"z", "]", "ab"});
  expect_gbnf("root ::= \"\\u4f60\" . \"\\x41\\\"\"", {"你😀A\"", "你\nA\""}, {"你A\"", "我aA\""});
  expect_gbnf("root ::= (\"ab\"){2} \"c\"{0,1} \"de\"{2,}", {"ababdede", "ababcdedede"},
              {"abab", "ababde", "abcdede"});
  expect_gbnf("root ::=\n  a\na ::= \"x\" a | \"\"", {"", "xxx", std::string(5000, 'x')}, {"y"});
  expect_gbnf("root ::= \"(\" root \")\" | \"\"", {"", "((()))"}, {"(", "())"});
  expect_gbnf("root ::= (a?){0,3} \"b\"\na ::= \"a\"?", {"b", "aab", "aaab"}, {"aaaab"});
  expect_gbnf("root ::= (a b)* \"!\"\na ::= \"a\"?\nb ::= \"b\"?", {"!", "abba!", "bb!"}, {"c!"});
}

TEST(Gbnf, WhatIsWrongIsRefused) {
  const auto invalid = [](std::string_view grammar, std::string_view named) {
    expect_gbnf_refused(grammar, ErrorKind::kInvalid, named);
  };
  invalid("", "root");
  invalid("a ::= \"b\"", "root");
  invalid("root ::= b", "line 1, column 10");
  invalid("root ::= \"a", "closing");
  invalid("root ::= [a", "closing");
  invalid("root ::= (\"a\"", "closing");
  invalid("root ::= \"a\" )", "line 1");
  invalid("root := \"a\"", "::=");
  invalid("root ::= \"a\"\nroot ::= \"b\"", "line 2");
  invalid("root ::= \"\\q\"", "escape");
  invalid("root ::= \"a\"{3,2}", "rise");
  invalid("root ::= [z-a]", "rises");
  invalid("root ::= \"a\" root", "fits");
  const auto unsupported = [](std::string_view grammar, std::string_view named) {
    expect_gbnf_refused(grammar, ErrorKind::kUnsupported, named);
  };
  unsupported("root ::= root \"a\" | \"b\"", "left recursion");
  unsupported("root ::= a\na ::= b \"x\"\nb ::= \"\" c\nc ::= a | \"y\"", "left recursion");
  unsupported("root ::= e root \"a\" | \"b\"\ne ::= \"x\"?", "left recursion");
  unsupported("root ::= <think>", "literal");
  expect_gbnf_refused("root ::= \"a\"{1000000}", ErrorKind::kTooLarge, "times");
  expect_gbnf_refused("root ::= (\"a\"?){5000}", ErrorKind::kTooLarge, "empty");
  expect_gbnf_refused("root ::= ((\"a\" | \"aa\"){1000}){1000}", ErrorKind::kTooLarge, "repetitions");
  expect_gbnf_refused("root ::= " + std::string(200, '(') + "\"a\"" + std::string(200, ')'),
                      ErrorKind::kTooLarge, "groups");
}

std::string xml_call(const std::string& name,
                     const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string text = "<tool_call>\n<function=" + name + ">\n";
  for (const auto& [key, value] : parameters)
    text += "<parameter=" + key + ">\n" + value + "\n</parameter>\n";
  return text + "</function>\n</tool_call>";
}

class XmlCalls : public ::testing::Test {
 protected:
  // The arguments as the reader of calls understands them; null: the text is not allowed.
  Json arguments(const std::string& text) {
    const auto constraint = constraint_of(
        grammar_of(tools_, {.choice = ToolChoice::kRequired, .xml_calls = true}, byte_tree(true)));
    if (accepted_bytes(*constraint, text) != text.size() || !constraint->can_stop()) return nullptr;
    const auto turn = parse_turn(ChatFormat::kQwen3Coder, text, tools_, false);
    EXPECT_EQ(turn.tool_calls.size(), 1U) << text;
    return turn.tool_calls.empty() ? Json() : turn.tool_calls[0].arguments;
  }
  std::vector<Json> tools_ = {tool("write", R"({"type": "object", "properties": {
      "path": {"type": "string", "pattern": "^[a-z/.]+$"}, "text": {"type": "string"},
      "lines": {"type": "array", "items": {"type": "integer"}}, "mode": {"enum": ["new", "add"]},
      "note": {"type": ["string", "null"], "maxLength": 5}, "force": {"type": "boolean"}},
      "required": ["path", "text"]})")};
};

TEST_F(XmlCalls, AreReadAsTheyAreMeant) {
  const Json read = arguments(xml_call("write", {{"path", "a/b.c"},
                                                 {"text", "if (a < b) {\n  \"x\" </p> <parameter=z>\n}\n"},
                                                 {"lines", "[1, 2]"},
                                                 {"mode", "add"},
                                                 {"note", "null"},
                                                 {"force", "true"}}));
  EXPECT_EQ(
      read,
      json(R"({"path": "a/b.c", "text": "if (a < b) {\n  \"x\" </p> <parameter=z>\n}\n", "lines": [1, 2],
      "mode": "add", "note": null, "force": true})"));
  EXPECT_EQ(arguments(xml_call("write", {{"path", "a"}, {"text", ""}})),
            json(R"({"path": "a", "text": ""})"));
}

TEST_F(XmlCalls, KeepTheirSchema) {
  EXPECT_TRUE(arguments(xml_call("write", {{"path", "a"}})).is_null()) << "text is required";
  EXPECT_TRUE(arguments(xml_call("write", {{"path", "A"}, {"text", ""}})).is_null());
  EXPECT_TRUE(arguments(xml_call("write", {{"path", "a"}, {"text", ""}, {"force", "yes"}})).is_null());
  EXPECT_TRUE(arguments(xml_call("write", {{"path", "a"}, {"text", ""}, {"note", "longer"}})).is_null());
  EXPECT_TRUE(arguments(xml_call("write", {{"path", "a"}, {"text", ""}, {"other", "1"}})).is_null());
  EXPECT_TRUE(
      arguments(xml_call("write", {{"path", "a"}, {"text", "x\n</parameter>\n</function>\n"}})).is_null());
  EXPECT_TRUE(arguments(xml_call("read", {})).is_null());
}

TEST_F(XmlCalls, WhatTheReaderWouldMistakeIsRefused) {
  for (const char* schema : {R"({"enum": [1, 2]})", R"({"$ref": "#/$defs/e"})",
                             R"({"anyOf": [{"type": "null"}, {"enum": [true]}]})",
                             R"({"allOf": [{"type": "string"}, {"type": ["string", "null"]}]})"}) {
    Json one = tool("f", R"({"type": "object", "$defs": {"e": {"const": {"a": 1}}}})");
    one["function"]["parameters"]["properties"]["v"] = json(schema);
    one["function"]["parameters"]["required"] = {"v"};
    const auto made = compile_tools(std::span(&one, 1), {.choice = ToolChoice::kRequired, .xml_calls = true});
    EXPECT_FALSE(made.ok()) << schema;
  }
  const Json name = tool("f", R"({"type": "object", "properties": {"a<b": {"type": "string"}}})");
  EXPECT_FALSE(compile_tools(std::span(&name, 1), {.xml_calls = true, .all_strict = true}).ok());
}

// As libraries write a class or an enumeration that is used twice.
TEST_F(XmlCalls, FollowReferences) {
  tools_ = {tool("f", R"({"type": "object", "$defs": {
      "point": {"type": "object", "properties": {"x": {"type": "integer"}, "next": {"$ref": "#/$defs/point"}},
        "required": ["x"], "additionalProperties": false},
      "color": {"type": "string", "enum": ["red", "12"]}, "many": {"type": "array", "items": {"$ref": "#/$defs/color"}},
      "loop": {"anyOf": [{"$ref": "#/$defs/loop2"}, {"type": "boolean"}]},
      "loop2": {"anyOf": [{"$ref": "#/$defs/point"}]}},
    "properties": {"p": {"$ref": "#/$defs/point"}, "c": {"$ref": "#/$defs/color"},
      "m": {"$ref": "#/$defs/many", "description": "several"}, "o": {"anyOf": [{"$ref": "#/$defs/color"}, {"type": "null"}]},
      "a": {"allOf": [{"$ref": "#/$defs/point"}]}, "l": {"$ref": "#/$defs/loop"}},
    "required": ["p"]})")};
  EXPECT_EQ(
      arguments(xml_call("f", {{"p", R"({"x": 1, "next": {"x": 2}})"},
                               {"c", "12"},
                               {"m", R"(["red"])"},
                               {"o", "null"},
                               {"a", R"({"x": 3})"},
                               {"l", "true"}})),
      json(
          R"({"p": {"x": 1, "next": {"x": 2}}, "c": "12", "m": ["red"], "o": null, "a": {"x": 3}, "l": true})"));
  EXPECT_EQ(arguments(xml_call("f", {{"p", R"({"x": 1})"}, {"o", "red"}, {"l", R"({"x": 5})"}})),
            json(R"({"p": {"x": 1}, "o": "red", "l": {"x": 5}})"));
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"c", "blue"},
                                                                                    {"c", "\"red\""},
                                                                                    {"m", "red"},
                                                                                    {"m", R"(["blue"])"},
                                                                                    {"o", "nul"},
                                                                                    {"a", "{}"},
                                                                                    {"l", "1"}}) {
    EXPECT_TRUE(arguments(xml_call("f", {{"p", R"({"x": 1})"}, {name, value}})).is_null()) << name << value;
  }
  EXPECT_TRUE(arguments(xml_call("f", {{"p", R"({"x": "1"})"}})).is_null());
  EXPECT_TRUE(arguments(xml_call("f", {{"p", "1"}})).is_null());
}

TEST_F(XmlCalls, ParametersMayBeAReference) {
  tools_ = {tool("f", R"({"$ref": "#/$defs/args", "$defs": {
      "args": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}, "s": {"type": "string"}}, "required": ["n"]},
      "n": {"type": "integer", "maximum": 7}}})")};
  EXPECT_EQ(arguments(xml_call("f", {{"n", "7"}, {"s", "8"}})), json(R"({"n": 7, "s": "8"})"));
  EXPECT_TRUE(arguments(xml_call("f", {{"n", "8"}})).is_null());
  EXPECT_TRUE(arguments(xml_call("f", {{"s", "8"}})).is_null());
  for (const char* parameters :
       {R"({"$ref": "#/$defs/args", "$defs": {"args": {"type": "string"}}})", R"({"$ref": "#/$defs/args"})",
        R"({"$ref": "#"})", R"({"$ref": "other.json"})"}) {
    const Json one = tool("f", parameters);
    EXPECT_FALSE(compile_tools(std::span(&one, 1), {.xml_calls = true}).ok()) << parameters;
    EXPECT_FALSE(compile_tools(std::span(&one, 1), {}).ok()) << parameters;
  }
}

TEST_F(XmlCalls, MayBeLenient) {
  tools_ = {tool("f", R"({"type": "object", "properties": {"a": {"not": {}}, "b": {"type": "string"}}})")};
  const auto constraint = constraint_of(grammar_of(tools_, {.xml_calls = true}, byte_tree(true)));
  const std::string text = xml_call("f", {{"a", "any < thing"}});
  EXPECT_EQ(accepted_bytes(*constraint, text), text.size());
  EXPECT_TRUE(constraint->can_stop());
}

}  // namespace
}  // namespace ink
