// JSON: what is refused and where, and text that is byte-equal to Python's json.dumps(ensure_ascii=False).
#include "base/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

namespace ink {
namespace {

Error refused(const std::string& text) {
  const auto json = parse_json(text, "x.json");
  EXPECT_FALSE(json.ok()) << text;
  return json.ok() ? Error{} : json.error();
}

TEST(ParseJson, NamesThePlaceOfAnError) {
  const Error error = refused(R"({"a": [1, 2,, 3]})");
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_EQ(error.where, "x.json");
  EXPECT_NE(error.message().find("byte 13"), std::string::npos) << error.message();
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1,]",
                           "{\"a\":}",
                           "{a:1}",
                           "'a'",
                           "nul",
                           "01",
                           "1.",
                           "+1",
                           "[1] x",
                           "\"\\x\"",
                           "\"\n\"",
                           "\"\xff\"",
                           "\"\xed\xa0\x80\"",
                           "\"\\ud800\"",
                           "NaN",
                           "1e999",
                           "// c\n1"}) {
    EXPECT_EQ(refused(text).kind, ErrorKind::kInvalid) << text;
  }
}

TEST(ParseJson, CapsTheDepth) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_TRUE(parse_json(nested(kMaxJsonDepth), "x").ok());
  EXPECT_EQ(refused(nested(kMaxJsonDepth + 1)).kind, ErrorKind::kTooLarge);
  EXPECT_EQ(refused(std::string(1'000'000, '[')).kind, ErrorKind::kTooLarge);
  EXPECT_EQ(refused(std::string(1'000'000, '{')).kind, ErrorKind::kTooLarge);
  // Brackets inside strings are text.
  EXPECT_TRUE(parse_json("\"" + std::string(1000, '[') + "\\\"[\"", "x").ok());
}

TEST(ParseJson, RefusesObjectsTooWideToSearch) {
  const auto object = [](int keys) {
    std::string text = "{\"first\": {\"a\": 1}";
    for (int i = 1; i < keys; ++i) text += ",\"" + std::to_string(i) + "\": \"::::\"";
    return text + "}";
  };
  EXPECT_TRUE(parse_json(object(kMaxJsonKeys), "x").ok());
  const auto refused = parse_json(object(kMaxJsonKeys + 1), "x");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
  EXPECT_TRUE(parse_json("[" + object(kMaxJsonKeys) + "," + object(kMaxJsonKeys) + "]", "x").ok());
}

TEST(ParseJson, KeepsTheOrderOfKeys) {
  const auto json = parse_json(R"({"z":1,"a":{"y":2,"b":3},"m":[true,null]})", "x");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(python_json(*json), R"({"z": 1, "a": {"y": 2, "b": 3}, "m": [true, null]})");
}

TEST(JsonExcerpt, EndsWithAWholeCharacter) {
  EXPECT_EQ(json_excerpt({{"a", 1}}), R"({"a":1})");
  const std::string text(20, 'x');
  EXPECT_EQ(json_excerpt(text + std::string(20, 'y') + "中文中文中文中文"),
            "\"" + text + std::string(20, 'y') + "中文中文中文");
}

TEST(PythonJson, FloatsAsPythonWritesThem) {
  const std::pair<const char*, const char*> cases[] = {
      {"0.0", "0.0"},
      {"-0.0", "-0.0"},
      {"1.0", "1.0"},
      {"-1.5", "-1.5"},
      {"0.1", "0.1"},
      {"100.0", "100.0"},
      {"123456789.125", "123456789.125"},
      {"1e15", "1000000000000000.0"},
      {"1e16", "1e+16"},
      {"1.5e16", "1.5e+16"},
      {"12345678901234567.0", "1.2345678901234568e+16"},
      {"1e22", "1e+22"},
      {"1e23", "1e+23"},
      {"1e100", "1e+100"},
      {"0.0001", "0.0001"},
      {"0.00012", "0.00012"},
      {"0.00001", "1e-05"},
      {"1.5e-05", "1.5e-05"},
      {"1e-10", "1e-10"},
      {"5e-324", "5e-324"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
      {"2.2250738585072014e-308", "2.2250738585072014e-308"},
      {"0.3333333333333333", "0.3333333333333333"},
      {"3.141592653589793", "3.141592653589793"},
      {"-2.5e-7", "-2.5e-07"},
      {"9007199254740993.0", "9007199254740992.0"},
      {"4.35", "4.35"},
      {"0.5", "0.5"},
      {"1e-4", "0.0001"},
      {"9999999999999998.0", "9999999999999998.0"},
      {"7.120236347223045e-307", "7.120236347223045e-307"},  // 2^-1017: shortest, not nearest, at 16 digits
  };
  for (const auto& [text, wanted] : cases) {
    EXPECT_EQ(python_json(parse_json(text, "x").value()), wanted) << text;
  }
  EXPECT_EQ(python_json(Json(INFINITY)), "Infinity");
  EXPECT_EQ(python_json(Json(-INFINITY)), "-Infinity");
  EXPECT_EQ(python_json(Json(NAN)), "NaN");
}

TEST(PythonJson, FloatsReadBackTheSame) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = python_json(Json(value));
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    ASSERT_LE(text.size(), 24u) << text;
  }
}

TEST(PythonJson, IntegersAndStrings) {
  const std::pair<const char*, const char*> cases[] = {
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775808", "-9223372036854775808"},
      {R"("\u0000\u001f\b\t\n\f\r\"\\\/")", R"("\u0000\u001f\b\t\n\f\r\"\\/")"},
      {"\"\x7f\"", "\"\x7f\""},
      {R"("\u706f\ud83d\ude00 é")", "\"灯😀 é\""},
      {"\"<>&' \u2028\"", "\"<>&' \u2028\""},
      {"[]", "[]"},
      {"{}", "{}"},
      {R"({"a\n":[[],{}]})", R"({"a\n": [[], {}]})"},
      {"[ 1,2 ,\"x\"]", R"([1, 2, "x"])"},
  };
  for (const auto& [text, wanted] : cases) {
    EXPECT_EQ(python_json(parse_json(text, "x").value()), wanted) << text;
  }
}

}  // namespace
}  // namespace ink
