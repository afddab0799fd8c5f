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
  const auto grammar = compile_tools(tools, {.all_strict = true});
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

std::string pattern_schema(const std::string& pattern) {
  return Json{{"type", "string"}, {"pattern", pattern}}.dump();
}

TEST(Schema, PatternsNeedNotBeAnchored) {
  expect_fits(pattern_schema("b"), {R"("b")", R"("abc")", R"("\nb\"")", R"("你b好")"}, {R"("")", R"("ac")"});
  expect_fits(pattern_schema("^ab"), {R"("ab")", R"("abc")"}, {R"("a")", R"("cab")"});
  expect_fits(pattern_schema("ab$"), {R"("ab")", R"("cab")"}, {R"("abc")", R"("ab\n")"});
  expect_fits(pattern_schema("^a|b$"), {R"("ax")", R"("xb")"}, {R"("xa")", R"("bx")"});
  expect_fits(pattern_schema(""), {R"("")", R"("ab")"}, {});
  expect_fits(pattern_schema("^"), {R"("")", R"("ab")"}, {});
}

TEST(Schema, PatternsHaveClassesAndEscapes) {
  expect_fits(pattern_schema("^.$"), {R"("a")", R"("\"")", R"("你")", R"("\t")"},
              {R"("")", R"("\n")", "\"\u2028\""});
  expect_fits(pattern_schema("^[^a-c]$"), {R"("d")", R"("é")", R"("\\")", R"("\n")"}, {R"("b")", R"("de")"});
  expect_fits(pattern_schema("^\\s\\S\\W\\D$"), {R"(" a-b")", R"("\tb--")"},
              {R"("aa-b")", R"(" aab")", R"(" a-1")"});
  expect_fits(pattern_schema("^[\\w.-]+@x$"), {R"("a_9.-@x")"}, {R"("@x")", R"("é@x")"});
  expect_fits(pattern_schema("^\\u4f60\\x41\\t\\u{1f600}$"), {R"("你A\t😀")"}, {R"("你B\t😀")"});
  expect_fits(pattern_schema("^[à-ü\\u4e00-\\u9fff]{2}$"), {R"("é你")"}, {R"("ea")", R"("é")"});
  expect_fits(pattern_schema("^(?<year>\\d{4})-(?:a|b)*?$"), {R"("2024-")", R"("2024-ab")"}, {R"("202-")"});
  expect_fits(pattern_schema("^a{1000}$"), {"\"" + std::string(1000, 'a') + "\""},
              {"\"" + std::string(999, 'a') + "\""});
}

TEST(Schema, PatternsKeepLengths) {
  const char* both = R"({"type": "string", "pattern": "^[a-z]+(-[a-z]+)*$", "minLength": 3, "maxLength": 5})";
  expect_fits(both, {R"("abc")", R"("a-b")", R"("ab-cd")"},
              {R"("ab")", R"("abcdef")", R"("ab-")", R"("a-b-cd")"});
  expect_fits(R"({"type": "string", "pattern": "x", "maxLength": 2})", {R"("x")", R"("ax")", R"("x你")"},
              {R"("axa")", R"("aa")"});
  expect_fits(R"({"type": "string", "pattern": "^a*$", "minLength": 2})", {R"("aa")", R"("aaaaaa")"},
              {R"("a")", R"("")"});
  expect_fits(R"({"type": "string", "pattern": "^a{3}$", "maxLength": 2000})", {R"("aaa")"}, {R"("aa")"});
  const std::string longest = "\"" + std::string(1999, 'y') + "x";
  expect_fits(R"({"type": "string", "pattern": "x", "maxLength": 2000})", {longest + "\""},
              {longest + "y\"", "\"yy\""});
}

TEST(Schema, PatternsOfOtherKindsAreRefused) {
  for (const char* pattern :
       {"^(?=a)$", "^(?!a)b", "(?<=a)b", "(?<!a)b", "^(a)\\1$", "^\\bword$", "^a$b$", "^a^b$", "(^a|b)c",
        "(a$)", "^[[:alpha:]]$", "^[]a]$", "^\\p{L}$", "^a{,3}$", "^(?i)a$", "a**", "^a)$"})
    expect_schema_refused(pattern_schema(pattern), ErrorKind::kUnsupported, "v.pattern");
  for (const char* pattern : {"^(a", "^[a$", "^[b-a]$", "^a{3,2}$", "^a{2$", "^abc\\", "\\u12", "\\x4"})
    expect_schema_refused(pattern_schema(pattern), ErrorKind::kInvalid, "pattern");
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
  expect_fits(R"({"type": "object", "properties": {"a": {}}, "required": ["a", "b"]})",
              {R"({"a": 1, "b": [null]})"}, {R"({"a": 1})", R"({"b": 1})"});
}

TEST(Schema, ObjectsMayHaveFurtherKeys) {
  const char* further = R"({"type": "object", "properties": {"ab": {"type": "null"}, "a你": {"type": "null"}},
      "additionalProperties": {"type": "integer"}})";
  expect_fits(further,
              {"{}", R"({"ab": null})", R"({"ab": null, "x": 1})", R"({"": 1, "a": 2, "abc": 3})",
               R"({"a\"": 1})", R"({"a好": 1, "你": 2})"},
              {R"({"ab": 1})", R"({"a你": 1})", R"({"x": null})", R"({"x": 1, "ab": null})",
               R"({"ab": null, "ab": 1})"});
  expect_fits(R"({"type": "object"})", {"{}", R"({"a": {"b": [1, "c", null]}})"}, {R"({"a"})", R"({a: 1})"});
  expect_fits(R"({"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": true})",
              {R"({"a": null, "b": "c"})"}, {R"({"a": 1})"});
  expect_fits(R"({"type": "object", "additionalProperties": false})", {"{}"}, {R"({"a": 1})"});
  expect_fits(
      R"({"type": "object", "additionalProperties": {"type": "null"}, "minProperties": 1, "maxProperties": 2})",
      {R"({"a": null})", R"({"a": null, "b": null})"}, {"{}", R"({"a": null, "b": null, "c": null})"});
}

TEST(Schema, ObjectsCountTheirProperties) {
  const char* counted = R"({"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "null"},
      "c": {"type": "null"}}, "required": ["b"], "minProperties": 2, "maxProperties": 2})";
  expect_fits(counted, {R"({"a": null, "b": null})", R"({"b": null, "c": null})"},
              {R"({"b": null})", R"({"a": null, "c": null})", R"({"a": null, "b": null, "c": null})"});
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

TEST(Schema, ArraysBeginWithElementsOfTheirOwn) {
  const char* prefix = R"({"type": "array", "prefixItems": [{"type": "null"}, {"type": "integer"}], "items":
      {"type": "boolean"}, "minItems": 1, "maxItems": 3})";
  expect_fits(prefix, {"[null]", "[null, 1]", "[null, 1, true]"},
              {"[]", "[1]", "[null, true]", "[null, 1, 1]", "[null, 1, true, true]"});
  expect_fits(R"({"type": "array", "prefixItems": [{"type": "null"}], "items": false})", {"[]", "[null]"},
              {"[null, null]"});
  expect_fits(R"({"type": "array", "items": [{"type": "null"}], "additionalItems": {"type": "integer"}})",
              {"[]", "[null, 1, 2]"}, {"[1]"});
  expect_fits(R"({"type": "array"})", {"[]", R"([1, [], {}, "a"])"}, {"[,]"});
}

TEST(Schema, TypesMayBeSeveral) {
  expect_fits(R"({"type": ["string", "null"], "maxLength": 1})", {R"("a")", "null", R"("")"},
              {R"("ab")", "1"});
  expect_fits("{}", {"1", "null", "true", R"("a")", "[]", "{}", R"({"a": [1.5]})"}, {"", "x"});
  expect_fits("true", {"1"}, {});
  expect_fits(R"({"minLength": 2})", {R"("ab")", "1", "null"}, {R"("a")"});
  expect_fits(R"({"type": "boolean", "minimum": 5})", {"true"}, {"5"});
}

TEST(Schema, NumbersKeepTheirLimits) {
  const char* limited = R"({"type": "number", "minimum": -1.5, "exclusiveMaximum": 12.25})";
  expect_fits(limited, {"-1.5", "-1.49", "-0.001", "0", "0.5", "9", "10", "12", "12.2", "12.249", "12.0"},
              {"-1.51", "-2", "12.25", "12.3", "13", "100", "-0", "-0.0", "012", "1.50"});
  expect_fits(R"({"type": "number", "exclusiveMinimum": 0})", {"0.00000000000001", "1", "999999999999999"},
              {"0", "0.0", "-1"});
  expect_fits(R"({"type": "number", "minimum": 99.5, "maximum": 1000})",
              {"99.5", "99.6", "100", "999.9", "1000", "1000.0"}, {"99.4", "99", "1000.1", "1001"});
  expect_fits(R"({"type": "number", "maximum": -3})", {"-3", "-3.0", "-3.5", "-100"}, {"-2.9", "0", "3"});
  expect_fits(R"({"type": "number", "minimum": 2, "maximum": 2})", {"2", "2.0"}, {"1", "2.1", "3"});
  expect_fits(R"({"type": "number", "minimum": 1e-7, "maximum": 1e300})", {"0.0000001", "1", "100000"},
              {"0", "0.00000001"});
  expect_fits(R"({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 6})", {"4", "5"}, {"3", "6"});
  expect_fits(R"({"type": "integer", "exclusiveMinimum": 2.5, "exclusiveMaximum": 4.5})", {"3", "4"},
              {"2", "5"});
  expect_fits(R"({"type": "integer", "minimum": -2.5, "maximum": -0.5})", {"-2", "-1"}, {"-3", "0"});
}

TEST(Schema, MultiplesAreExact) {
  expect_fits(R"({"type": "integer", "minimum": -10, "maximum": 20, "multipleOf": 5})",
              {"-10", "-5", "0", "15", "20"}, {"1", "-11", "25", "12"});
  expect_fits(R"({"type": "integer", "multipleOf": 7})", {"0", "7", "-14", "700000000000007"},
              {"1", "-13", "15"});
  expect_fits(R"({"type": "number", "minimum": 0, "multipleOf": 4})", {"0", "4", "1000000"},
              {"2", "-4", "4.5"});
  expect_fits(R"({"allOf": [{"multipleOf": 2}, {"multipleOf": 3}], "type": "integer"})", {"6", "-12"},
              {"2", "3", "4"});
}

TEST(Schema, FormatsAreExact) {
  const auto format = [](const char* name) { return Json{{"type", "string"}, {"format", name}}.dump(); };
  expect_fits(format("date"), {R"("2024-02-29")", R"("2023-12-31")", R"("2000-02-29")"},
              {R"("2023-02-29")", R"("1900-02-29")", R"("2024-13-01")", R"("2024-04-31")", R"("0000-01-01")",
               R"("24-01-01")"});
  expect_fits(format("time"), {R"("23:59:59Z")", R"("00:00:00.5+08:00")"},
              {R"("24:00:00Z")", R"("10:00Z")", R"("10:00:00")"});
  expect_fits(format("date-time"), {R"("2024-02-29T10:00:00Z")"},
              {R"("2024-02-30T10:00:00Z")", R"("2024-02-29 10:00:00Z")"});
  expect_fits(format("duration"), {R"("P1Y2M3D")", R"("PT1H")", R"("P4W")", R"("P1DT12H")"},
              {R"("P")", R"("PT")", R"("P1Y2W")", R"("P1H")"});
  expect_fits(
      format("email"), {R"("joe.bloggs@example.com")", R"("te~st@example.com")"},
      {R"("joe@")", R"(".joe@example.com")", R"("joe..b@example.com")", R"("joe@-x.com")", R"("2962")"});
  expect_fits(format("uuid"), {R"("2eb8aa08-aa98-11ea-b4aa-73b441d16380")"},
              {R"("2eb8aa08-aa98-11ea-b4aa-73b441d1638")"});
  expect_fits(format("ipv4"), {R"("192.168.0.1")", R"("255.255.255.255")"},
              {R"("256.1.1.1")", R"("01.1.1.1")", R"("1.1.1")"});
  expect_fits(format("ipv6"), {R"("::1")", R"("::")", R"("1::8")", R"("1:2:3:4:5:6:7:8")", R"("1:2::")"},
              {R"("1:2:3:4:5:6:7")", R"("1::2::3")", R"("12345::")", R"("1:2:3:4:5:6:7::8")"});
  expect_fits(format("hostname"), {R"("www.example.com")", R"("a-1.b")"},
              {R"("-a")", R"("a..b")", R"("a--b")", R"("a_b")"});
  expect_fits(format("uri"), {R"("https://example.com/a%20b?q=1#x")", R"("ftp://a.bc:21")"},
              {R"("example.com")", R"("http://a b")", R"("http://a.bc/%2")"});
  expect_fits(R"({"type": "integer", "format": "int32"})", {"1"}, {});
  expect_fits(R"({"type": "string", "format": "date-time", "maxLength": 20})", {R"("2024-02-29T10:00:00Z")"},
              {R"("2024-02-29T10:00:00.5Z")"});
}

TEST(Schema, ReferencesAreFollowed) {
  const char* tree =
      R"({"$ref": "#/properties/v/$defs/node", "$defs": {"node": {"type": "object", "properties":
      {"name": {"$ref": "#/properties/v/$defs/na~1me"}, "kids": {"type": "array", "items": {"$ref":
      "#/properties/v/%24defs/node"}}}, "required": ["name"]}, "na/me": {"type": "integer"}}})";
  expect_fits(tree, {R"({"name": 1})", R"({"name": 1, "kids": [{"name": 2, "kids": [{"name": 3}]}]})"},
              {R"({"name": "a"})", R"({"name": 1, "kids": [{}]})", "1"});
  expect_fits(
      R"({"anyOf": [{"type": "null"}, {"type": "object", "properties": {"next": {"$ref": "#/properties/v"}},
      "required": ["next"]}]})",
      {"null", R"({"next": null})", R"({"next": {"next": {"next": null}}})"}, {"{}", R"({"next": 1})"});
  expect_fits(
      R"({"$ref": "#/properties/v/definitions/a", "maximum": 5, "definitions": {"a": {"type": "integer", "minimum": 3}}})",
      {"3", "5"}, {"2", "6"});
  expect_fits(R"({"$ref": "#/properties/v/x-list/1", "x-list": [1, {"type": "null"}]})", {"null"}, {"1"});
}

TEST(Schema, WhatMustAllHoldIsJoined) {
  const char* joined =
      R"({"allOf": [{"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"]},
      {"properties": {"a": {"maximum": 3}, "b": {"type": "null"}}}], "properties": {"c": {"type": "null"}}})";
  // Keywords of one level come in their order, properties last.
  expect_fits(joined, {R"({"a": 1})", R"({"a": 3, "b": null, "c": null})"},
              {"{}", R"({"a": 4})", R"({"a": 0})", R"({"a": 1, "d": 1})"});
  expect_fits(
      R"({"allOf": [{"properties": {"a": {}}, "additionalProperties": false}, {"type": "object", "properties": {"b": {}}}]})",
      {"{}", R"({"a": 1})"}, {R"({"b": 1})"});
  expect_fits(
      R"({"allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"anyOf": [{"minimum": 2, "type": "number"}, {"type": "null"}]}]})",
      {"2", "3"}, {"1", "null", R"("a")", "2.5"});
  expect_fits(
      R"({"type": "object", "properties": {"k": {"type": "string"}}, "anyOf": [{"required": ["k"]}, {"properties": {"n": {"type": "null"}}, "required": ["n"]}]})",
      {R"({"k": "a"})", R"({"k": "a", "n": null})", R"({"n": null})"}, {"{}"});
  expect_fits(R"({"enum": [1, 2, "a", null], "type": ["integer", "null"], "minimum": 2})", {"2", "null"},
              {"1", R"("a")"});
  expect_fits(R"({"const": 2, "enum": [1, 2.0]})", {"2.0"}, {"1"});
}

TEST(Schema, OneOfIsToldApart) {
  expect_fits(
      R"({"oneOf": [{"type": "object", "properties": {"kind": {"const": "a"}, "x": {"type": "null"}}, "required": ["kind"]},
      {"type": "object", "properties": {"kind": {"const": "b"}}, "required": ["kind"]}]})",
      {R"({"kind": "a", "x": null})", R"({"kind": "b"})"}, {R"({"kind": "b", "x": null})", "{}"});
  expect_fits(R"({"oneOf": [{"type": "integer", "maximum": 3}, {"type": "integer", "exclusiveMinimum": 3}]})",
              {"3", "4"}, {});
  expect_fits(
      R"({"oneOf": [{"type": "object", "properties": {"a": {}}, "required": ["a"]}, {"type": "object", "properties": {"b": {}}, "required": ["b"]}]})",
      {R"({"a": 1})", R"({"b": 1})"}, {R"({"a": 1, "b": 1})"});
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
  unsupported(R"({"type": "string", "format": "iri"})", "parameters.properties.v.format");
  unsupported(R"({"type": "number", "multipleOf": 0.01})", "v.multipleOf");
  unsupported(R"({"type": "integer", "multipleOf": 1000})", "v.multipleOf");
  unsupported(R"({"type": "date"})", "'date'");
  unsupported(R"({"$ref": "https://example.com/x"})", "v.$ref");
  unsupported(R"({"$ref": "#name"})", "v.$ref");
  unsupported(R"({"$id": "x", "type": "null"})", "v.$id");
  unsupported(R"({"type": "object", "additionalProperties": true, "minProperties": 2})", "minProperties");
  unsupported(R"({"type": "array", "items": {"type": "null"}, "uniqueItems": true})", "uniqueItems");
  unsupported(R"({"type": "array", "items": {"type": "string", "format": "x"}})", "v.items.format");
  unsupported(R"({"type": "array", "additionalItems": false})", "additionalItems");
  unsupported(R"({"anyOf": [{"type": "null"}, {"type": "string", "not": {}}]})", "anyOf[1].not");
  unsupported(R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})", "v.oneOf");
  unsupported(R"({"oneOf": [{"const": 1}, {"enum": [1.0, 2]}]})", "oneOf");
  unsupported(R"({"oneOf": [{"type": "string", "pattern": "a"}, {"type": "string", "pattern": "b"}]})",
              "oneOf");
  unsupported(
      R"({"type": "object", "properties": {"a": {}, "b": {}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]})",
      "oneOf");
  unsupported(R"({"enum": ["a"], "pattern": "a"})", "enum");
  unsupported(R"({"enum": [{"a": 1}], "properties": {"a": {"type": "string"}}})", "enum");
  unsupported(R"({"type": "string", "pattern": "^a$", "format": "date"})", "format");
  unsupported(R"({"allOf": [{"type": "string", "pattern": "a"}, {"pattern": "b"}]})", "allOf[1].pattern");
  unsupported(R"({"type": "string", "copied": true, "maxLength": 3})", "maxLength");
  unsupported(R"({"type": "string", "copied": true, "minLength": 2})", "minLength");
  unsupported(R"({"type": "string", "copied": true, "pattern": "^a$"})", "pattern");
  unsupported(R"({"type": "integer", "copied": true})", "copied");
}

// All keywords of the drafts that are not enforced, and a word that is none.
TEST(Schema, EveryOtherKeywordIsRefused) {
  for (const char* keyword : {"not",
                              "if",
                              "then",
                              "else",
                              "dependentSchemas",
                              "dependentRequired",
                              "dependencies",
                              "propertyNames",
                              "patternProperties",
                              "unevaluatedItems",
                              "unevaluatedProperties",
                              "contains",
                              "minContains",
                              "maxContains",
                              "contentEncoding",
                              "contentMediaType",
                              "contentSchema",
                              "$dynamicRef",
                              "$dynamicAnchor",
                              "$recursiveRef",
                              "$recursiveAnchor",
                              "$vocabulary",
                              "id",
                              "extends",
                              "disallow",
                              "divisibleBy",
                              "nullable",
                              "minimun"}) {
    for (const char* value :
         {"true", "{}", "[]", R"({"type": "null"})", R"({"a": {"type": "null"}})", R"("a")"}) {
      if (keyword == std::string("patternProperties") && value == std::string("{}"))
        continue;  // says nothing
      const std::string one = "{\"" + std::string(keyword) + "\": " + value + "}";
      expect_schema_refused(one, ErrorKind::kUnsupported, "v." + std::string(keyword));
      expect_schema_refused("{\"type\": \"array\", \"items\": " + one + "}", ErrorKind::kUnsupported,
                            "v.items." + std::string(keyword));
    }
  }
}

TEST(Schema, WhatContradictsIsRefused) {
  const auto invalid = [](const char* schema, const char* named) {
    expect_schema_refused(schema, ErrorKind::kInvalid, named);
  };
  invalid(R"({"type": "integer", "minimum": "5"})", "minimum");
  invalid(R"({"type": "string", "minLength": -1})", "minLength");
  invalid(R"({"type": "string", "minLength": 1.5})", "minLength");
  invalid(R"({"type": "string", "copied": "yes"})", "copied");
  invalid(R"({"type": "string", "pattern": 1})", "pattern");
  invalid(R"({"multipleOf": 0})", "multipleOf");
  invalid(R"({"enum": []})", "enum");
  invalid(R"({"enum": "a"})", "enum");
  invalid(R"({"type": []})", "type");
  invalid(R"({"anyOf": []})", "anyOf");
  invalid(R"({"anyOf": [1]})", "anyOf[0]");
  invalid(R"({"allOf": {}})", "allOf");
  invalid("1", "properties.v");
  invalid(R"({"type": "object", "properties": []})", "properties");
  invalid(R"({"type": "object", "properties": {}, "required": "a"})", "required");
  invalid(R"({"$ref": "#/x"})", "v.$ref");
  invalid(R"({"$ref": 1})", "v.$ref");
  invalid(R"({"$ref": "#/properties/v"})", "itself");
  invalid(R"({"allOf": [{"$ref": "#/properties/v"}]})", "itself");
  invalid(R"({"anyOf": [{"$ref": "#/properties/v"}, {"type": "null"}]})", "itself");
  invalid(R"({"type": "object", "anyOf": [{"$ref": "#/properties/v"}, {"type": "object"}]})", "itself");
  Json bytes = tool("f", R"({"type": "object", "properties": {"v": {"enum": ["x"]}}})");
  bytes["function"]["parameters"]["properties"]["v"]["enum"][0] = "\xff";
  expect_refused({bytes}, ErrorKind::kInvalid, "enum");
}

TEST(Schema, WhatNothingFitsIsRefused) {
  for (
      const char* schema :
      {R"({"type": "integer", "minimum": 5, "maximum": 4})",
       R"({"type": "string", "minLength": 5, "maxLength": 4})", "false",
       R"({"enum": ["a"], "type": "integer"})", R"({"allOf": [{"type": "null"}, {"type": "string"}]})",
       R"({"type": "array", "minItems": 2, "maxItems": 1})",
       R"({"type": "object", "required": ["a"], "properties": {"a": false}})",
       R"({"type": "object", "properties": {"a": {}}, "required": ["a", "b"], "additionalProperties": false})",
       R"({"type": "object", "properties": {"v": {"$ref": "#/properties/v"}}, "required": ["v"]})",
       R"({"type": "number", "exclusiveMinimum": 2, "exclusiveMaximum": 2})"}) {
    auto tools = tool_of(schema);
    const auto grammar = compile_tools(tools, {.choice = ToolChoice::kRequired});
    ASSERT_FALSE(grammar.ok()) << schema;
    EXPECT_EQ(grammar.error().kind, ErrorKind::kInvalid) << grammar.error().message();
  }
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
  expect_schema_refused(pattern_schema("^((((a{200}){200}){200}){200}){200}$"), ErrorKind::kTooLarge,
                        "repetitions");
  expect_schema_refused(pattern_schema("^((((a?){60000}){60000}){60000})$"), ErrorKind::kTooLarge, "v");
  expect_schema_refused(pattern_schema("^a{1000000}$"), ErrorKind::kTooLarge, "pattern");
  expect_schema_refused(pattern_schema("^((((((((((((((((((a))))))))))))))))))$"), ErrorKind::kUnsupported,
                        "pattern");
  expect_schema_refused(R"({"type": "string", "pattern": "ab", "maxLength": 100000})", ErrorKind::kTooLarge,
                        "pattern");
  expect_schema_refused(R"({"type": "integer", "minimum": 1e30})", ErrorKind::kTooLarge, "minimum");
  expect_schema_refused(R"({"type": "number", "minimum": 1e30})", ErrorKind::kTooLarge, "minimum");
  expect_schema_refused(R"({"type": "string", "minLength": 1e15})", ErrorKind::kTooLarge, "minLength");
}

// Schemas that are small and mean a great deal.
TEST(Schema, BombsEndQuickly) {
  Json doubling = {{"$defs", Json::object()}};
  for (int i = 0; i < 24; ++i) {
    const std::string next = "#/properties/v/$defs/d" + std::to_string(i + 1);
    Json& one = doubling["$defs"]["d" + std::to_string(i)];
    one = {{"type", "object"}, {"properties", {{"a", {{"$ref", next}}}, {"b", {{"$ref", next}}}}}};
  }
  doubling["$defs"]["d24"] = {{"type", "null"}};
  doubling["$ref"] = "#/properties/v/$defs/d0";
  EXPECT_TRUE(compile_tools(tool_of(doubling.dump()), {}).ok()) << "rules are shared";
  Json choices;
  for (int i = 0; i < 30; ++i)
    choices["allOf"].push_back({{"anyOf", {{{"minimum", i}}, {{"minLength", i}}, {{"maxItems", i}}}}});
  expect_schema_refused(choices.dump(), ErrorKind::kTooLarge, "alternatives");
  Json chain = {{"$defs", Json::object()}};
  for (int i = 0; i < 900; ++i)
    chain["$defs"]["d" + std::to_string(i)]["$ref"] = "#/properties/v/$defs/d" + std::to_string(i + 1);
  chain["$ref"] = "#/properties/v/$defs/d0";
  expect_schema_refused(chain.dump(), ErrorKind::kTooLarge, "refer");
  Json all;
  for (int i = 0; i < 300; ++i) all["anyOf"].push_back({{"allOf", Json::array()}});
  for (auto& each : all["anyOf"]) {
    for (int i = 0; i < 400; ++i) each["allOf"].push_back({{"minLength", i}});
  }
  expect_schema_refused(all.dump(), ErrorKind::kTooLarge, "refer");
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
      tool("f", R"({"type": "object", "properties": {"d": {"not": {}}}})")};
  EXPECT_FALSE(compile_tools(unsupported, {.choice = ToolChoice::kNone, .all_strict = true}).ok())
      << "whatever the choice";
}

TEST(Tools, OneMayBeNamed) {
  const std::vector<Json> tools = {tool("f", R"({"type": "object", "properties": {}})"),
                                   tool("g", R"({"type": "object", "properties": {}})")};
  const auto constraint = constraint_of(
      grammar_of(tools, {.choice = ToolChoice::kRequired, .named_tool = "g"}, byte_tree(false)));
  const std::string f = call_text("f", "{}"), g = call_text("g", "{}");
  EXPECT_EQ(accepted_bytes(*constraint, g), g.size());
  constraint->reset();
  EXPECT_LT(accepted_bytes(*constraint, f), f.size());
  EXPECT_FALSE(compile_tools(tools, {.choice = ToolChoice::kRequired, .named_tool = "h"}).ok());
}

TEST(Tools, WhatIsNotStrictMayBeLenient) {
  const char* schema = R"({"type": "object", "properties": {"d": {"not": {}}}})";
  std::vector<Json> tools = {tool("f", schema)};
  const std::string call = call_text("f", R"({"x": [1, {"y": null}]})");
  const auto constraint = constraint_of(grammar_of(tools, {}, byte_tree(false)));
  EXPECT_EQ(accepted_bytes(*constraint, call), call.size());
  EXPECT_TRUE(constraint->can_stop());
  tools[0]["function"]["strict"] = false;
  EXPECT_TRUE(compile_tools(tools, {}).ok());
  EXPECT_FALSE(compile_tools(tools, {.choice = ToolChoice::kRequired}).ok());
  EXPECT_FALSE(compile_tools(tools, {.all_strict = true}).ok());
  tools[0]["function"]["strict"] = true;
  const auto refused = compile_tools(tools, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("tool 'f': parameters.properties.d.not"), std::string::npos);
  tools[0] = tool("f", R"({"type": "object", "properties": {"d": {"enum": []}}})");
  EXPECT_FALSE(compile_tools(tools, {}).ok()) << "nonsense is refused all the same";
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
