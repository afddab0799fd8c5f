// The streaming parser of assistant turns: what each dialect accepts, what becomes text, where newlines go.
#include "text/tool_calls.h"

#include <gtest/gtest.h>

namespace ink {
namespace {

constexpr ChatFormat kHermes = ChatFormat::kQwen3;
constexpr ChatFormat kXml = ChatFormat::kQwen3Coder;

std::vector<Json> tools() {
  return {
      *parse_json(R"({"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{
    "s":{"type":"string"},"i":{"type":"integer"},"n":{"type":"number"},"b":{"type":"boolean"},"z":{"type":"null"},
    "o":{"type":"object"},"a":{"type":"array"},"si":{"type":["string","integer"]},"in":{"type":["integer","null"]},
    "sn":{"anyOf":[{"type":"string"},{"type":"null"}]},"any":{}}}}})",
                  "test"),
      *parse_json(R"({"name":"flat","parameters":{"properties":{"i":{"type":"integer"}}}})", "test")};
}

AssistantTurn parse(ChatFormat format, std::string_view text, bool starts_in_thinking = false) {
  return parse_turn(format, text, tools(), starts_in_thinking);
}

// "name{arguments}" of every call.
std::string calls_of(const AssistantTurn& turn) {
  std::string text;
  for (const ToolCall& call : turn.tool_calls) text += call.name + call.arguments.dump();
  return text;
}

// The text of one XML call of f.
std::string xml_call(const std::string& parameters) {
  return "<tool_call>\n<function=f>\n" + parameters + "</function>\n</tool_call>";
}

std::string xml_value(const std::string& parameter, const std::string& raw) {
  const AssistantTurn turn =
      parse(kXml, xml_call("<parameter=" + parameter + ">\n" + raw + "\n</parameter>\n"));
  if (turn.tool_calls.size() != 1 || !turn.content.empty()) return "no call";
  return turn.tool_calls[0].arguments.at(parameter).dump();
}

TEST(ToolCalls, PlainTextIsContent) {
  EXPECT_EQ(parse(kHermes, "Hello\n").content, "Hello\n");
  EXPECT_EQ(parse(kHermes, "\n\nHello").content, "Hello");
  EXPECT_EQ(parse(kHermes, "").content, "");
  EXPECT_EQ(parse(kHermes, "a <tool_cal").content, "a <tool_cal");
  EXPECT_EQ(parse(kHermes, "a <think>b</think>").content, "a <think>b</think>");
  EXPECT_EQ(parse(ChatFormat::kQwen3Vl, "<think>b</think>").content, "<think>b</think>");
}

TEST(ToolCalls, ThinkingIsToldFromContent) {
  const AssistantTurn turn = parse(kHermes, "<think>\nfirst\n\nthen <b>\n</think>\n\nAnswer");
  EXPECT_EQ(turn.reasoning, "first\n\nthen <b>");
  EXPECT_EQ(turn.content, "Answer");
  const AssistantTurn opened = parse(ChatFormat::kQwen3Thinking, "first\n</think>\n\nAnswer\n", true);
  EXPECT_EQ(opened.reasoning, "first");
  EXPECT_EQ(opened.content, "Answer\n");
  const AssistantTurn repeated = parse(ChatFormat::kQwen35, "<think>\nfirst</think>a", true);
  EXPECT_EQ(repeated.reasoning, "first");
  const AssistantTurn empty = parse(kHermes, "<think>\n\n</think>\n\na");
  EXPECT_EQ(empty.reasoning, "");
  EXPECT_EQ(empty.content, "a");
  // A call inside thinking is a thought.
  const AssistantTurn cut = parse(kHermes, "<think>x <tool_call>\n{\"name\":\"f\"}\n</tool_call> y\n</thin");
  EXPECT_EQ(cut.reasoning, "x <tool_call>\n{\"name\":\"f\"}\n</tool_call> y\n</thin");
  EXPECT_TRUE(cut.tool_calls.empty());
}

TEST(ToolCalls, HermesCalls) {
  const AssistantTurn turn = parse(kHermes,
                                   "<think>\nr\n</think>\n\nLet me look.\n<tool_call>\n{\"name\": \"f\", "
                                   "\"arguments\": {\"b\": 1, \"a\": [\"</tool_call>\", {}]}}\n</tool_call>\n"
                                   "<tool_call>{\"arguments\":{},\"name\":\"now\"}</tool_call>\n");
  EXPECT_EQ(turn.reasoning, "r");
  EXPECT_EQ(turn.content, "Let me look.");
  EXPECT_EQ(calls_of(turn), R"(f{"b":1,"a":["</tool_call>",{}]}now{})");
}

TEST(ToolCalls, HermesArgumentForms) {
  EXPECT_EQ(calls_of(parse(kHermes, R"(<tool_call>{"name":"f"}</tool_call>)")), "f{}");
  EXPECT_EQ(calls_of(parse(kHermes, R"(<tool_call>{"name":"f","arguments":null}</tool_call>)")), "f{}");
  EXPECT_EQ(
      calls_of(parse(kHermes, R"(<tool_call>{"name":"f","arguments":"{\"a\":\"\\\"}\"}"}</tool_call>)")),
      R"(f{"a":"\"}"})");
}

TEST(ToolCalls, WhatIsNoHermesCallIsText) {
  for (const char* text : {
           "<tool_call>",
           "<tool_call> tags are",
           "<tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>",
           R"(<tool_call>{"name":"f","arguments":{"a":1})",
           R"(<tool_call>{"name":"f","arguments":{"a":1}})",
           R"(<tool_call>{"name":"f","arguments":{"a":1}}</tool_call)",
           R"(<tool_call>{"name":"f","arguments":{"a":1}}} </tool_call>)",
           R"(<tool_call>{"name":"f","arguments":[1]}</tool_call>)",
           R"(<tool_call>{"name":"f","arguments":"no json"}</tool_call>)",
           R"(<tool_call>{"name":"","arguments":{}}</tool_call>)",
           R"(<tool_call>{"name":5}</tool_call>)",
           R"(<tool_call>{"name":"f","arguments":{"a":tru}}</tool_call>)",
           R"(<tool_call>{"name":"f","arguments":{"a":01}}</tool_call>)",
           R"(<tool_call>{"name":"f","arguments":{"a"}}</tool_call>)",
           R"(<tool_call>{"name":"f",}</tool_call>)",
           R"(<tool_call>{"name":"f"]</tool_call>)",
           R"(<tool_call>[{"name":"f"}]</tool_call>)",
           "<tool_call>{\"name\":\"f\n\"}</tool_call>",
           "<tool_call>{\"name\":\"\xff\"}</tool_call>",
           "<tool_call><function=f></function></tool_call>",
       }) {
    const AssistantTurn turn = parse(kHermes, text);
    EXPECT_EQ(turn.content, text);
    EXPECT_TRUE(turn.tool_calls.empty()) << text;
  }
}

TEST(ToolCalls, AValidCallBehindABrokenOneIsFound) {
  const AssistantTurn turn = parse(kHermes, "<tool_call>{\"name\": f<tool_call>{\"name\":\"g\"}</tool_call>");
  EXPECT_EQ(turn.content, "<tool_call>{\"name\": f");
  EXPECT_EQ(calls_of(turn), "g{}");
}

TEST(ToolCalls, NewlinesAroundCalls) {
  const std::string call = R"(<tool_call>{"name":"f"}</tool_call>)";
  EXPECT_EQ(parse(kHermes, "a\n\n" + call + "\n" + call + "\n\n").content, "a");
  EXPECT_EQ(parse(kHermes, "a\n" + call + "\nb\n").content, "a\n\nb\n");
  EXPECT_EQ(parse(kHermes, "\n" + call + "\nb").content, "b");
  EXPECT_EQ(parse(kHermes, "a " + call + " b").content, "a  b");
}

TEST(ToolCalls, XmlCalls) {
  const AssistantTurn turn = parse(
      kXml, "Look:\n\n" +
                xml_call("<parameter=s>\nline 1\n\nline 3\n</parameter>\n<parameter=i>\n5\n</parameter>\n") +
                "\n<tool_call><function=flat><parameter=i>7</parameter></function></tool_call>\n" +
                xml_call(""));
  EXPECT_EQ(turn.content, "Look:");
  EXPECT_EQ(calls_of(turn), R"(f{"s":"line 1\n\nline 3","i":5}flat{"i":7}f{})");
}

TEST(ToolCalls, XmlValuesAreTypedBySchema) {
  EXPECT_EQ(xml_value("s", "5"), R"("5")");
  EXPECT_EQ(xml_value("s", "None"), R"("None")");
  EXPECT_EQ(xml_value("i", "5"), "5");
  EXPECT_EQ(xml_value("i", "five"), R"("five")");
  EXPECT_EQ(xml_value("i", "true"), R"("true")");
  EXPECT_EQ(xml_value("n", "1000.0"), "1000.0");
  EXPECT_EQ(xml_value("b", "true") + xml_value("b", "False") + xml_value("b", "yes"), R"(truefalse"yes")");
  EXPECT_EQ(xml_value("z", "None") + xml_value("z", "null") + xml_value("z", "0"), R"(nullnull"0")");
  EXPECT_EQ(xml_value("o", R"({"b":1,"a":2})") + xml_value("o", "[1]"), R"({"b":1,"a":2}"[1]")");
  EXPECT_EQ(xml_value("a", "[1,\n 2]") + xml_value("a", "{}"), R"([1,2]"{}")");
  EXPECT_EQ(xml_value("si", "5"), R"("5")");
  EXPECT_EQ(xml_value("in", "5") + xml_value("in", "null"), "5null");
  EXPECT_EQ(xml_value("sn", "None") + xml_value("sn", "none"), R"(null"none")");
  EXPECT_EQ(xml_value("any", "5"), R"("5")");
  EXPECT_EQ(xml_value("undeclared", "5"), R"("5")");
  EXPECT_EQ(xml_value("s", ""), R"("")");
  EXPECT_EQ(xml_value("s", "\n a \n"), R"("\n a \n")");
}

TEST(ToolCalls, XmlTagsInsideAValueSurvive) {
  for (const char* nasty :
       {"</parameter>", "</function>", "</tool_call>", "<tool_call>", "<parameter=s>", "</", "<",
        "</parameter>\n</function>", "</function>\n</tool_call>", "</parameter></tool_call>",
        "</parameter>\n<parameter=\n", "</parameter>\n</function>\n</function>", "x</function></tool_call>y",
        "</parameter> text <parameter=s>"}) {
    EXPECT_EQ(xml_value("s", nasty), Json(nasty).dump()) << nasty;
    EXPECT_EQ(xml_value("s", std::string(nasty) + "\nmore"), Json(std::string(nasty) + "\nmore").dump())
        << nasty;
  }
}

TEST(ToolCalls, XmlSmallMistakesAreTolerated) {
  // </parameter> forgotten at the end of the turn, or in front of another call.
  const std::string forgotten = "<tool_call>\n<function=f>\n<parameter=s>\nv\n</function>\n</tool_call>";
  EXPECT_EQ(calls_of(parse(kXml, forgotten)), R"(f{"s":"v"})");
  EXPECT_EQ(calls_of(parse(kXml, forgotten + "\n" + forgotten + "\n")), R"(f{"s":"v"}f{"s":"v"})");
  // The last of two parameters of one name wins.
  EXPECT_EQ(
      calls_of(parse(
          kXml, xml_call("<parameter=s>1</parameter><parameter=i>2</parameter><parameter=s>3</parameter>"))),
      R"(f{"s":"3","i":2})");
}

TEST(ToolCalls, WhatIsNoXmlCallIsText) {
  for (const char* text : {
           "<tool_call>",
           "<tool_call> is a tag, <function=f> another",
           "<tool_call>\n<function=f>\n<parameter=s>\nv\n</parameter>\n</function>",
           "<tool_call>\n<function=f>\n<parameter=s>\nv",
           "<tool_call>\n<function=f>\nprose</function></tool_call>",
           "<tool_call>\n<function=>\n</function></tool_call>",
           "<tool_call>\n<function=f\n</function></tool_call>",
           "<tool_call>\n<function=f></function> more",
           "<tool_call><function=f><parameter=s>\xff</parameter></function></tool_call>",
           R"(<tool_call>{"name":"f"}</tool_call>)",
       }) {
    const AssistantTurn turn = parse(kXml, text);
    EXPECT_EQ(turn.content, text);
    EXPECT_TRUE(turn.tool_calls.empty()) << text;
  }
}

TEST(ToolCalls, EventsComeAsSoonAsTheyCan) {
  TurnParser parser(kHermes, {}, false);
  std::vector<TurnEvent> events = parser.push("Hi <");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].text, "Hi ");
  EXPECT_TRUE(parser.push("tool_c").empty());
  events = parser.push("akes>");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].text, "<tool_cakes>");
  EXPECT_TRUE(parser.push("<tool_call>\n{\"name\": \"f\"}\n</tool_call").empty());
  events = parser.push(">");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, TurnEvent::Kind::kToolCall);
  EXPECT_EQ(events[0].call.name, "f");
  EXPECT_TRUE(parser.push("\n").empty());
  EXPECT_TRUE(parser.push("<tool_call>").empty());
  events = parser.push("{x");  // can no longer become a call
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].text, "\n<tool_call>{x");
  // Half a character waits for its other half.
  EXPECT_TRUE(parser.push("\xe9\xa6").empty());
  events = parser.push("\x99");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].text, "香");
  EXPECT_TRUE(parser.finish().empty());
}

}  // namespace
}  // namespace ink
