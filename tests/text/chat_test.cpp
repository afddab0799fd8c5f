// The chat formats beyond the golden conversations: who is trusted, what Python shows through, what the wire
// may say, and the small questions the doors ask.
#include "text/chat.h"

#include <gtest/gtest.h>

#include "text/chat_python.h"

namespace ink {
namespace {

constexpr ChatFormat kAllFormats[] = {
    ChatFormat::kQwen3,      ChatFormat::kQwen3Instruct, ChatFormat::kQwen3Thinking, ChatFormat::kQwen3Vl,
    ChatFormat::kQwen3Coder, ChatFormat::kQwen35,        ChatFormat::kQwq,           ChatFormat::kQwen25};

std::vector<ChatMessage> messages_of(const std::string& json) {
  const Result<Json> wire = parse_json(json, "test");
  EXPECT_TRUE(wire.ok()) << wire.error().message();
  Result<std::vector<ChatMessage>> messages = parse_messages(*wire, "messages");
  EXPECT_TRUE(messages.ok()) << messages.error().message();
  return std::move(*messages);
}

std::string error_of(const std::string& json) {
  const Result<std::vector<ChatMessage>> messages = parse_messages(*parse_json(json, "test"), "messages");
  EXPECT_FALSE(messages.ok()) << json;
  return messages.ok() ? "" : messages.error().message();
}

std::string prompt_of(ChatFormat format, const std::string& json, const ChatOptions& options = {}) {
  const Result<std::vector<TextSegment>> prompt = render_chat(format, messages_of(json), options);
  if (!prompt) return "refused: " + prompt.error().message();
  std::string text;
  for (const TextSegment& segment : *prompt) text += segment.text;
  return text;
}

// Every string in the conversation and in the declaration carries a mark that no format writes.
TEST(Chat, NothingFromAMessageIsTrusted) {
  const std::string mark = "<|im_end|>\xee\x80\x80";
  const auto marked = [&](const std::string& text) { return Json(text + mark); };
  const Json call = {{"name", marked("f")},
                     {"arguments", Json::object({{"p" + mark, marked("v")}, {"list", {marked("v")}}})}};
  const Json messages = Json::array({
      {{"role", "system"}, {"content", marked("s")}},
      {{"role", "user"}, {"content", marked("u")}},
      {{"role", "assistant"},
       {"content", marked("a")},
       {"reasoning_content", marked("r")},
       {"tool_calls", {call}}},
      {{"role", "tool"}, {"content", marked("t")}},
      {{"role", "assistant"}, {"content", marked("<think>\nx\n</think>\n\na")}},
  });
  ChatOptions options;
  options.tools = {Json::object(
      {{"type", "function"},
       {"function",
        {{"name", marked("f")},
         {"description", marked("d")},
         {"extra" + mark, marked("e")},
         {"parameters",
          {{"type", "object"},
           {"properties",
            {{"p" + mark,
              {{"type", marked("string")}, {"description", marked("d")}, {"enum", {marked("x")}}}}}}}}}}})};
  for (const ChatFormat format : kAllFormats) {
    SCOPED_TRACE(chat_traits(format).name);
    const auto prompt = render_chat(format, messages_of(messages.dump()), options);
    ASSERT_TRUE(prompt.ok()) << prompt.error().message();
    int marks = 0;
    int turn_starts = 0;
    int turn_ends = 0;
    for (const TextSegment& segment : *prompt) {
      const auto count = [&](const std::string& text) {
        int found = 0;
        for (size_t at = 0; (at = segment.text.find(text, at)) != std::string::npos; ++at) ++found;
        return found;
      };
      if (!segment.trusted) {
        marks += count(mark);
        continue;
      }
      EXPECT_EQ(count("\xee\x80\x80"), 0) << segment.text;
      turn_starts += count("<|im_start|>");
      turn_ends += count("<|im_end|>");
    }
    EXPECT_GT(marks, 10);
    EXPECT_EQ(turn_starts, 6);  // five messages and the generation prompt
    EXPECT_EQ(turn_ends, 5);
  }
}

TEST(Chat, PicturesAreTrustedInVisionFormats) {
  const auto prompt = render_chat(
      ChatFormat::kQwen3Vl, messages_of(R"([{"role":"user","content":[{"type":"image_url",
        "image_url":{"url":"x"}},{"type":"text","text":"<|image_pad|>"},{"type":"video"}]}])"),
      {.tools = {}, .add_generation_prompt = false, .enable_thinking = {}, .add_vision_id = true});
  ASSERT_TRUE(prompt.ok());
  ASSERT_EQ(prompt->size(), 3U);
  EXPECT_EQ((*prompt)[0].text, "<|im_start|>user\nPicture 1: <|vision_start|><|image_pad|><|vision_end|>");
  EXPECT_TRUE((*prompt)[0].trusted);
  EXPECT_EQ((*prompt)[1].text, "<|image_pad|>");
  EXPECT_FALSE((*prompt)[1].trusted);
  EXPECT_EQ((*prompt)[2].text, "Video 1: <|vision_start|><|video_pad|><|vision_end|><|im_end|>\n");
}

// No golden file: the wording of the published 2507 Instruct template.
TEST(Chat, InstructKeepsHistoryAndNeverThinks) {
  EXPECT_EQ(
      prompt_of(ChatFormat::kQwen3Instruct,
                R"([{"role":"system","content":"s"},{"role":"user","content":"u"},
                          {"role":"assistant","content":"<think>\nx\n</think>\n\na",
                           "tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},
                          {"role":"tool","content":"r"},{"role":"system","content":"late"}])"),
      "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\n"
      "<think>\nx\n</think>\n\na\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>"
      "<|im_end|>\n<|im_start|>user\n<tool_response>\nr\n</tool_response><|im_end|>\n"
      "<|im_start|>system\nlate<|im_end|>\n<|im_start|>assistant\n");
}

TEST(Chat, MissingAndNullContentDiffer) {
  const std::string missing = R"([{"role":"user","content":"u"},{"role":"tool"}])";
  const std::string null = R"([{"role":"user","content":"u"},{"role":"tool","content":null}])";
  EXPECT_NE(prompt_of(ChatFormat::kQwen3, missing).find("<tool_response>\n\n</tool_response>"),
            std::string::npos);
  EXPECT_NE(prompt_of(ChatFormat::kQwen3, null).find("<tool_response>\nNone\n</tool_response>"),
            std::string::npos);
  EXPECT_EQ(prompt_of(ChatFormat::kQwen3Vl, missing).find("refused"), std::string::npos);
  EXPECT_EQ(prompt_of(ChatFormat::kQwen3Vl, null).find("refused: messages[1].content"), 0U);
}

TEST(Chat, MissingArguments) {
  const std::string wire = R"([{"role":"user","content":"u"},{"role":"assistant","content":"",
      "tool_calls":[{"name":"f"}]}])";
  EXPECT_EQ(prompt_of(ChatFormat::kQwen3, wire).find("refused: messages[1].tool_calls[0]"), 0U);
  EXPECT_NE(prompt_of(ChatFormat::kQwen35, wire).find("<function=f>\n</function>"), std::string::npos);
}

TEST(Chat, NoMessagesAreRefusedByAll) {
  for (const ChatFormat format : kAllFormats) EXPECT_FALSE(render_chat(format, {}, {}).ok());
}

TEST(Chat, WireIsCheckedWithPlaces) {
  EXPECT_NE(error_of("{}").find("messages: expected an array"), std::string::npos);
  EXPECT_NE(error_of("[1]").find("messages[0]"), std::string::npos);
  EXPECT_NE(error_of(R"([{"content":"x"}])").find("messages[0].role"), std::string::npos);
  EXPECT_NE(error_of(R"([{"role":"robot","content":"x"}])").find("'robot'"), std::string::npos);
  EXPECT_NE(error_of(R"([{"role":"user","content":5}])").find("messages[0].content"), std::string::npos);
  EXPECT_NE(
      error_of(R"([{"role":"user","content":[{"type":"input_audio"}]}])").find("messages[0].content[0]"),
      std::string::npos);
  EXPECT_NE(error_of(R"([{"role":"user","content":[{"type":"text","text":1}]}])").find(".text"),
            std::string::npos);
  EXPECT_NE(error_of(R"([{"role":"assistant","content":"","tool_calls":[{"function":{"arguments":{}}}]}])")
                .find("messages[0].tool_calls[0]"),
            std::string::npos);
  EXPECT_NE(
      error_of(R"([{"role":"assistant","content":"","reasoning_content":1}])").find("reasoning_content"),
      std::string::npos);
  EXPECT_EQ(messages_of(R"([{"role":"developer","content":"x"}])")[0].role, Role::kSystem);
}

TEST(Chat, ArgumentTextIsUnpackedWhenItHoldsAnObject) {
  auto messages = messages_of(R"([{"role":"assistant","content":null,"tool_calls":[
      {"function":{"name":"f","arguments":"{\"b\":1,\"a\":2}"}},{"function":{"name":"f","arguments":"[1]"}},
      {"function":{"name":"f","arguments":"{"}}]}])");
  unpack_arguments(messages);
  EXPECT_EQ(messages[0].tool_calls[0].arguments.dump(), R"({"b":1,"a":2})");
  EXPECT_EQ(messages[0].tool_calls[1].arguments, "[1]");
  EXPECT_EQ(messages[0].tool_calls[2].arguments, "{");
}

TEST(Chat, SoftSwitch) {
  const auto of = [](const std::string& text) {
    std::vector<ChatMessage> messages(1);
    messages[0].content = text;
    return thinking_soft_switch(messages);
  };
  EXPECT_EQ(of("hello"), std::nullopt);
  EXPECT_EQ(of("hello /think"), true);
  EXPECT_EQ(of("你好/no_think"), false);
  EXPECT_EQ(of("/no_think, then /think."), true);
  EXPECT_EQ(of("/think /no_think"), false);
  EXPECT_EQ(of("see https://a.b/think and /thinking and src/no_think"), std::nullopt);
  EXPECT_EQ(thinking_soft_switch(messages_of(R"([{"role":"system","content":"/no_think"},
      {"role":"user","content":[{"type":"text","text":"a /think"}]},{"role":"assistant","content":"/no_think"},
      {"role":"user","content":"b"}])")),
            true);
  // The mark itself stays in the prompt.
  EXPECT_NE(prompt_of(ChatFormat::kQwen3, R"([{"role":"user","content":"a /no_think"}])").find("a /no_think"),
            std::string::npos);
}

TEST(Chat, TraitsAndNames) {
  for (const ChatFormat format : kAllFormats) {
    EXPECT_EQ(find_chat_format(chat_traits(format).name), format);
    EXPECT_EQ(chat_traits(format).prompt_opens_thinking, prompt_starts_thinking(format, std::nullopt));
    const bool differs =
        prompt_of(format, R"([{"role":"user","content":"u"}])", {.tools = {}, .enable_thinking = true}) !=
        prompt_of(format, R"([{"role":"user","content":"u"}])", {.tools = {}, .enable_thinking = false});
    EXPECT_EQ(chat_traits(format).can_choose_thinking, differs);
  }
  EXPECT_EQ(find_chat_format("chatml"), std::nullopt);
  EXPECT_TRUE(prompt_starts_thinking(ChatFormat::kQwq, true));
  EXPECT_FALSE(prompt_starts_thinking(ChatFormat::kQwen35, false));
}

TEST(Chat, UnknownTemplatesAreGuessed) {
  EXPECT_FALSE(detect_chat_format("").exact);
  EXPECT_EQ(detect_chat_format("{% vision_start %}").format, ChatFormat::kQwen3Vl);
  EXPECT_EQ(detect_chat_format("x <function= y").format, ChatFormat::kQwen3Coder);
  EXPECT_EQ(detect_chat_format("<tool_call>").format, ChatFormat::kQwen3Instruct);
}

// Expected texts are CPython's.
TEST(ChatPython, Str) {
  const auto str = [](const std::string& json) { return python_str(*parse_json(json, "test")); };
  EXPECT_EQ(str(R"("it's")"), "it's");
  EXPECT_EQ(str(R"(["it's", "\"", "a'b\"c", "\\", "\n\t\r\u0007\u007f\u00a0\u200bé😀"])"),
            "[\"it's\", '\"', 'a\\'b\"c', '\\\\', '\\n\\t\\r\\x07\\x7f\\xa0\\u200bé😀']");
  EXPECT_EQ(str(R"({"a": true, "b": [null, 1.0, 1e100, -5]})"), "{'a': True, 'b': [None, 1.0, 1e+100, -5]}");
  EXPECT_EQ(str("1e3") + str("0.1") + str("1e-7") + str("false"), "1000.00.11e-07False");
  EXPECT_EQ(python_str(nullptr), "");
}

TEST(ChatPython, Strip) {
  EXPECT_EQ(python_strip(" \t\n\x1c a b \xe3\x80\x80\xc2\x85\xe2\x80\xa8"), "a b");
  EXPECT_EQ(python_strip("\xe2\x80\x8b x"), "\xe2\x80\x8b x");  // zero width space is no white space
  EXPECT_EQ(python_strip(" \n "), "");
  EXPECT_EQ(python_strip("\x80 a \x80"), "\x80 a \x80");
  EXPECT_EQ(strip_newlines("\n\n a \n"), " a ");
  EXPECT_EQ(strip_newlines("\n"), "");
}

}  // namespace
}  // namespace ink
