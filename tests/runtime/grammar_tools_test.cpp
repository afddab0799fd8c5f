// Schemas: which values fit, and which keywords are refused. A grammar that fails open would show here.
#include "runtime/grammar_tools.h"

#include "tests/runtime/constraint_samples.h"

namespace ink {
namespace {

using testing::accepted_bytes;
using testing::byte_tree;
using testing::call_text;
using testing::constraint_of;
using testing::grammar_of;
using testing::json;
using testing::tool;

std::vector<Json> tool_of(std::string_view schema) {
  Json declaration = tool("f", R"({"type": "object", "required": ["v"]})");
  declaration["function"]["parameters"]["properties"]["v"] = json(schema);
  return {declaration};
}

// Which of the values, as JSON text, a schema allows.
std::vector<std::string> fitting(std::string_view schema, const std::vector<std::string>& values) {
  static const auto tree = byte_tree(true);
  const auto constraint = constraint_of(grammar_of(tool_of(schema), {.choice = ToolChoice::kRequired}, tree));
  std::vector<std::string> fit;
  for (const std::string& value : values) {
    const std::string text = call_text("f", "{\"v\": " + value + "}");
    constraint->reset();
    if (accepted_bytes(*constraint, text) == text.size() && constraint->can_stop()) fit.push_back(value);
  }
  return fit;
}

void expect_fits(std::string_view schema, const std::vector<std::string>& good,
                 std::vector<std::string> others) {
  std::vector<std::string> all = good;
  all.insert(all.end(), others.begin(), others.end());
  EXPECT_EQ(fitting(schema, all), good) << schema;
}

// The message of the refusal, which has to name the keyword.
void expect_refused(const std::vector<Json>& tools, ErrorKind kind, std::string_view named) {
  const auto grammar = compile_tools(tools, {});
  ASSERT_FALSE(grammar.ok()) << named;
  EXPECT_EQ(grammar.error().kind, kind) << grammar.error().message();
  EXPECT_NE(grammar.error().message().find(named), std::string::npos) << grammar.error().message();
}
void expect_schema_refused(std::string_view schema, ErrorKind kind, std::string_view named) {
  expect_refused(tool_of(schema), kind, named);
}

TEST(Schema, IntegersKeepTheirRange) {
  struct Range {
    int64_t least, most;
  };
  for (const Range range :
       {Range{0, 100}, {1, 86400}, {16, 30}, {-5, 5}, {-120, -7}, {7, 7}, {0, 0}, {99, 1001}}) {
    const std::string schema = "{\"type\": \"integer\", \"minimum\": " + std::to_string(range.least) +
                               ", \"maximum\": " + std::to_string(range.most) + "}";
    std::vector<std::string> all, good;
    for (int64_t value = range.least - 150; value <= range.most + 1500 && value < 3000; ++value) {
      all.push_back(std::to_string(value));
      if (value >= range.least && value <= range.most) good.push_back(std::to_string(value));
    }
    EXPECT_EQ(fitting(schema, all), good) << schema;
  }
  expect_fits(R"({"type": "integer", "minimum": 1, "maximum": 86400})", {"86400", "86399", "9999", "79999"},
              {"0", "86401", "86500", "87000", "90000", "100000", "05", "-1", "1.0", "1e3", "+1", ""});
}

TEST(Schema, IntegersWithoutLimitsHaveFifteenDigits) {
  expect_fits(R"({"type": "integer"})", {"0", "-1", "999999999999999", "-999999999999999"},
              {"1000000000000000", "-0", "00", "-"});
  expect_fits(R"({"type": "integer", "minimum": 5})", {"5", "999999999999999"}, {"4", "-5"});
  expect_fits(R"({"type": "integer", "maximum": -9223372036854775808})", {"-9223372036854775808"},
              {"-9223372036854775807", "-9223372036854775809", "0"});
  expect_fits(R"({"type": "integer", "minimum": 9223372036854775806})",
              {"9223372036854775806", "9223372036854775807"}, {"9223372036854775805", "9223372036854775808"});
  expect_fits(R"({"type": "integer", "minimum": 1.5, "maximum": 3.5})", {"2", "3"}, {"1", "4"});
  expect_fits(R"({"type": "integer", "minimum": 0, "maximum": 1e30})", {"0", "999999999999999"}, {"-1"});
}

TEST(Schema, NumbersHaveOneSpelling) {
  expect_fits(
      R"({"type": "number"})",
      {"0", "7", "-7", "0.5", "-0.5", "12.25", "1.0", "100", "0.000001", "999999999999999.999999999999999"},
      {"-0", "00", "01", ".5", "1.", "1.50", "-", "-0.0", "1e5", "NaN", "1000000000000000",
       "0.1234567890123456"});
}

TEST(Schema, StringsCountCharacters) {
  expect_fits(
      R"({"type": "string"})", {R"("")", R"("a\"b\\c\n\t\r")", R"("/é你😀")"},
      {R"("a)", R"("\u0041")", R"("\b")", "\"\n\"", "\"\x7f\"", "\"\xff\"", R"("\x")", "a", R"("a"b")"});
  expect_fits(R"({"type": "string", "minLength": 2, "maxLength": 3})",
              {R"("ab")", R"("你好吗")", R"("\n\"")"}, {R"("")", R"("a")", R"("abcd")", R"("你好吗？")"});
  expect_fits(R"({"type": "string", "maxLength": 0})", {R"("")"}, {R"("a")"});
  expect_fits(R"({"type": "string", "minLength": 2})", {R"("ab")", R"("abcdefghij")"}, {R"("a")"});
  expect_fits(R"({"type": "string", "copied": false})", {R"("ab")"}, {});
}

TEST(Schema, PatternsMatchTheWholeString) {
  expect_fits(R"({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})",
              {R"("00:00")", R"("19:59")", R"("23:30")"},
              {R"("24:00")", R"("7:30")", R"("12:60")", R"("12:300")", R"("")"});
  expect_fits(R"({"type": "string", "pattern": "^(sqrt|[0-9.+*/^()%-])+$"})",
              {R"("sqrt(2)*3^4")", R"("-1+2%")"}, {R"("")", R"("1 + 2")", R"("sqr")", R"("x")"});
  expect_fits(R"({"type": "string", "pattern": "^a{2,3}b?(?:c|de)*$"})", {R"("aa")", R"("aaabcdec")"},
              {R"("a")", R"("aaaa")", R"("aabd")"});
  expect_fits(R"({"type": "string", "pattern": "^\\d{2}[\\w-]+\\.$"})", {R"("12a_-.")"},
              {R"("1a.")", R"("12.")", R"("12a")"});
  expect_fits(R"({"type": "string", "pattern": "^[\"\\\\]+é$"})", {R"("\"\\é")"}, {R"("é")", R"(""é")"});
  expect_fits(R"({"type": "string", "pattern": "^((a?)*)*b$"})", {R"("b")", R"("aaab")"}, {R"("a")"});
  expect_fits(R"({"type": "string", "pattern": "^$"})", {R"("")"}, {R"("a")"});
}

TEST(Schema, PatternsOfOtherKindsAreRefused) {
  for (const char* pattern :
       {"abc",     "^abc",     "abc$",      "^a|b$",     "^.$",     "^[^a]$",    "^a*?$",
        "^(?=a)$", "^(a)\\1$", "^\\s$",     "^\\bword$", "^a$b$",   "^é{2}[é]$", "^[[:alpha:]]$",
        "^[]a]$",  "^\\p{L}$", "^a{1000}$", "^abc\\$",   "^a{,3}$", "",          "^"}) {
    Json schema;
    schema["type"] = "string";
    schema["pattern"] = pattern;
    expect_schema_refused(schema.dump(), ErrorKind::kUnsupported, "pattern");
  }
  for (const char* pattern : {"^(a$", "^[a$", "^[b-a]$", "^a{3,2}$", "^a{2$"}) {
    Json schema;
    schema["type"] = "string";
    schema["pattern"] = pattern;
    expect_schema_refused(schema.dump(), ErrorKind::kInvalid, "pattern");
  }
  expect_schema_refused(R"({"type": "string", "pattern": "^a)$"})", ErrorKind::kUnsupported, "pattern");
}

TEST(Schema, ObjectsKeepOrderAndRequirements) {
  const char* schema = R"({"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "boolean"},
      "c": {"type": "integer", "minimum": 1, "maximum": 9}}, "required": ["b"], "additionalProperties": false})";
  expect_fits(schema,
              {R"({"b": true})", R"({"a": null, "b": false})", R"({"b": true, "c": 3})",
               R"({"a": null, "b": true, "c": 9})"},
              {"{}", R"({"a": null})", R"({"b": true, "a": null})", R"({"b": true, "b": true})",
               R"({"b": true, })", R"({"b":true})", R"({ "b": true})", R"({"b": true, "d": 1})",
               R"({, "b": true})", R"({"b": true,"c": 3})"});
  expect_fits(R"({"type": "object", "properties": {}})", {"{}"}, {"{ }", R"({"a": 1})"});
  expect_fits(R"({"type": "object", "properties": {"a\"b": {"type": "null"}}})", {"{}", R"({"a\"b": null})"},
              {});
}

TEST(Schema, ArraysCountItems) {
  const char* items = R"({"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3})";
  expect_fits(items, {"[true]", "[true, false]", "[true, true, true]"},
              {"[]", "[true, true, true, true]", "[true,true]", "[true, ]", "[, true]"});
  expect_fits(R"({"type": "array", "items": {"type": "null"}})", {"[]", "[null]", "[null, null, null, null]"},
              {});
  expect_fits(R"({"type": "array", "items": {"type": "null"}, "maxItems": 0})", {"[]"}, {"[null]"});
  expect_fits(R"({"type": "array", "items": {"type": "null"}, "minItems": 2})",
              {"[null, null]", "[null, null, null]"}, {"[]", "[null]"});
  expect_fits(
      R"({"type": "array", "maxItems": 4000000000, "items": {"type": "array", "items": {"type": "null"}}})",
      {"[]", "[[], [null, null]]"}, {"[[]", "[null]"});
}

TEST(Schema, ValuesAndAlternatives) {
  expect_fits(R"({"enum": ["on", 1, 2.5, null, true, ["x", 1], {"k": "v"}]})",
              {R"("on")", "1", "2.5", "null", "true", R"(["x", 1])", R"({"k": "v"})"},
              {R"("off")", "2", "false"});
  expect_fits(R"({"type": "boolean", "enum": [true]})", {"true"}, {"false"});
  expect_fits(R"({"const": "a\"é"})", {R"("a\"é")"}, {R"("a")"});
  expect_fits(
      R"({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 12}, {"type": "integer", "minimum": 10,
      "maximum": 120}, {"type": "null"}]})",
      {"1", "12", "120", "null"}, {"0", "121", "-1"});
  expect_fits(R"({"oneOf": [{"type": "boolean"}, {"type": "null"}, {"const": "auto"}]})",
              {"true", "null", R"("auto")"}, {R"("on")"});
  expect_fits(R"({"oneOf": [{"const": 1}, {"enum": [2, 3]}]})", {"1", "2", "3"}, {"4"});
}

TEST(Schema, WhatIsNotEnforcedIsRefused) {
  const auto unsupported = [](const char* schema, const char* named) {
    expect_schema_refused(schema, ErrorKind::kUnsupported, named);
  };
  unsupported(R"({"type": "string", "format": "date"})", "parameters.properties.v.format");
  unsupported(R"({"type": "integer", "multipleOf": 5})", "multipleOf");
  unsupported(R"({"type": "integer", "exclusiveMinimum": 5})", "exclusiveMinimum");
  unsupported(R"({"type": "number", "minimum": 5})", "minimum");
  unsupported(R"({"type": "boolean", "minimum": 5})", "minimum");
  unsupported(R"({"type": "string", "minimum": 5})", "minimum");
  unsupported(R"({"type": ["string", "null"]})", "type");
  unsupported(R"({"type": "date"})", "'date'");
  unsupported(R"({})", "type");
  unsupported(R"(true)", "properties.v");
  unsupported(R"({"$ref": "#/x"})", "properties.v");
  unsupported(R"({"type": "object"})", "properties");
  unsupported(R"({"type": "object", "properties": {}, "additionalProperties": true})",
              "additionalProperties");
  unsupported(R"({"type": "object", "properties": {}, "additionalProperties": {"type": "string"}})",
              "additionalProperties");
  unsupported(R"({"type": "object", "properties": {}, "patternProperties": {}})", "patternProperties");
  unsupported(R"({"type": "object", "properties": {}, "minProperties": 1})", "minProperties");
  unsupported(R"({"type": "array"})", "items");
  unsupported(R"({"type": "array", "items": {"type": "null"}, "uniqueItems": true})", "uniqueItems");
  unsupported(R"({"type": "array", "items": [{"type": "null"}]})", "items");
  unsupported(R"({"type": "array", "items": {"type": "string", "format": "x"}})", "v.items.format");
  unsupported(R"({"allOf": [{"type": "null"}]})", "properties.v");
  unsupported(R"({"anyOf": [{"type": "null"}], "type": "null"})", "type");
  unsupported(R"({"anyOf": [{"type": "null"}, {"type": "string", "not": {}}]})", "anyOf[1].not");
  unsupported(R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})", "oneOf");
  unsupported(R"({"oneOf": [{"const": 1}, {"enum": [1.0, 2]}]})", "oneOf");
  unsupported(R"({"enum": ["a"], "minLength": 1})", "minLength");
  unsupported(R"({"enum": ["a"], "const": "a"})", "const");
  unsupported(R"({"type": "string", "pattern": "^a$", "maxLength": 3})", "maxLength");
  unsupported(R"({"type": "string", "copied": true, "maxLength": 3})", "maxLength");
  unsupported(R"({"type": "string", "copied": true, "minLength": 2})", "minLength");
  unsupported(R"({"type": "string", "copied": true, "pattern": "^a$"})", "pattern");
  unsupported(R"({"type": "integer", "copied": true})", "copied");
}

TEST(Schema, WhatContradictsIsRefused) {
  const auto invalid = [](const char* schema, const char* named) {
    expect_schema_refused(schema, ErrorKind::kInvalid, named);
  };
  invalid(R"({"type": "integer", "minimum": 5, "maximum": 4})", "minimum");
  invalid(R"({"type": "integer", "minimum": "5"})", "minimum");
  invalid(R"({"type": "string", "minLength": 5, "maxLength": 4})", "minLength");
  invalid(R"({"type": "string", "minLength": -1})", "minLength");
  invalid(R"({"type": "string", "minLength": 1.5})", "minLength");
  invalid(R"({"type": "string", "copied": "yes"})", "copied");
  invalid(R"({"enum": []})", "enum");
  invalid(R"({"enum": "a"})", "enum");
  invalid(R"({"type": "string", "enum": ["a", 1]})", "enum");
  invalid(R"({"anyOf": []})", "anyOf");
  invalid(R"({"type": "object", "properties": {}, "required": ["a"]})", "required");
  invalid(R"({"type": "object", "properties": {}, "required": "a"})", "required");
  Json bytes = tool("f", R"({"type": "object", "properties": {"v": {"enum": ["x"]}}})");
  bytes["function"]["parameters"]["properties"]["v"]["enum"][0] = "\xff";
  expect_refused({bytes}, ErrorKind::kInvalid, "enum");
}

TEST(Schema, LimitsHoldAgainstHostileOnes) {
  std::string deep = R"({"type": "null"})";
  for (int i = 0; i < 40; ++i) deep = R"({"type": "array", "items": )" + deep + "}";
  expect_schema_refused(deep, ErrorKind::kTooLarge, "32");
  Json wide;
  wide["type"] = "object";
  for (int i = 0; i < 300; ++i) wide["properties"]["p" + std::to_string(i)]["type"] = "null";
  expect_schema_refused(wide.dump(), ErrorKind::kTooLarge, "256");
  Json many;
  for (int i = 0; i < 5000; ++i) many["enum"].push_back(i);
  expect_schema_refused(many.dump(), ErrorKind::kTooLarge, "enum");
  expect_schema_refused(R"({"type": "string", "pattern": "^((((a{200}){200}){200}){200}){200}$"})",
                        ErrorKind::kTooLarge, "nodes");
  expect_schema_refused(R"({"type": "string", "pattern": "^((((((((((((((((((a))))))))))))))))))$"})",
                        ErrorKind::kUnsupported, "pattern");
  expect_schema_refused(R"({"type": "integer", "minimum": 1e30})", ErrorKind::kTooLarge, "minimum");
  expect_schema_refused(R"({"type": "string", "minLength": 1e15})", ErrorKind::kTooLarge, "minLength");
}

TEST(Tools, DeclarationsAreChecked) {
  expect_refused({json(R"({"name": "f"})")}, ErrorKind::kInvalid, "tools[0]");
  expect_refused({json("1")}, ErrorKind::kInvalid, "tools[0]");
  expect_refused({json(R"({"function": {"name": ""}})")}, ErrorKind::kInvalid, "name");
  expect_refused({json(R"({"function": {"name": "f", "parameters": []}})")}, ErrorKind::kInvalid, "'f'");
  expect_refused({json(R"({"function": {"name": "f", "parameters": {"type": "string"}}})")},
                 ErrorKind::kInvalid, "'f'");
  const Json twice = tool("f", R"({"type": "object", "properties": {}})");
  expect_refused({twice, twice}, ErrorKind::kInvalid, "'f'");
  EXPECT_FALSE(compile_tools({}, {.choice = ToolChoice::kRequired}).ok());
  EXPECT_FALSE(compile_tools({}, {.max_calls = 0}).ok());
  const std::vector<Json> unsupported = {
      tool("f", R"({"type": "object", "properties": {"d": {"format": "date"}}})")};
  EXPECT_FALSE(compile_tools(unsupported, {.choice = ToolChoice::kNone}).ok()) << "whatever the choice";
}

TEST(Tools, AToolMayHaveNoParameters) {
  const auto constraint =
      constraint_of(grammar_of({json(R"({"type": "function", "function": {"name": "now"}})")},
                               {.choice = ToolChoice::kRequired}, byte_tree(false)));
  const std::string text = call_text("now", "{}");
  EXPECT_EQ(accepted_bytes(*constraint, text), text.size());
  EXPECT_TRUE(constraint->can_stop());
}

}  // namespace
}  // namespace ink
