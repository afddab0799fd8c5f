// The sentences: that the three files say the same things, and how slots, scripts and clocks come out.
#include "services/assistant/phrases.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/utf8.h"
#include "services/assistant/catalogue.h"
#include "services/assistant/embedded.h"

namespace ink::assistant {
namespace {

constexpr Voice kMandarin{Language::kMandarin, false}, kTaiwan{Language::kMandarin, true};
constexpr Voice kHongKong{Language::kCantonese, true}, kGuangzhou{Language::kCantonese, false};
constexpr Voice kEnglish{Language::kEnglish, false};

std::set<std::string> slots_in(const std::string& sentence) {
  std::set<std::string> slots;
  for (size_t at = sentence.find('{'); at != std::string::npos; at = sentence.find('{', at + 1))
    slots.insert(sentence.substr(at + 1, sentence.find('}', at) - at - 1));
  return slots;
}

// Names that only some languages need: words that are the catalogue's own in English, plurals, months.
bool is_optional(const std::string& name) {
  for (const char* start :
       {"appliance.", "color.", "fan.", "scene.", "thing.", "month.", "duration.", "list."})
    if (name.starts_with(start)) return true;
  return name.ends_with(".one");
}

TEST(AssistantPhrases, TheThreeLanguagesHaveTheSameSentencesWithTheSameSlots) {
  const auto& english = Phrases::of(Language::kEnglish).all();
  for (const Language language : {Language::kMandarin, Language::kCantonese}) {
    const auto& other = Phrases::of(language).all();
    for (const auto& [name, sentence] : english) {
      if (is_optional(name)) continue;
      ASSERT_EQ(other.count(name), 1U) << name;
      if (name != "clock") {
        EXPECT_EQ(slots_in(other.at(name)), slots_in(sentence)) << name;
      }
    }
    for (const auto& [name, sentence] : other)
      if (!is_optional(name)) {
        EXPECT_EQ(english.count(name), 1U) << name;
      }
  }
}

TEST(AssistantPhrases, EveryWordOfTheCatalogueIsSaid) {
  const std::map<std::string, std::string> words = {{"room", "room"},     {"color", "color"},
                                                    {"mode", "mode"},     {"fan", "fan"},
                                                    {"scene", "scene"},   {"appliance", "appliance"},
                                                    {"seat", "seat"},     {"day", "day"},
                                                    {"repeat", "repeat"}, {"door", "door"}};
  for (const auto& tool : embedded_catalogue()) {
    const std::string name = tool["function"]["name"];
    for (const auto& [argument, schema] : tool["function"]["parameters"]["properties"].items()) {
      // A route's "drive" and a device's "wifi" are said by nobody here.
      if (!schema.contains("enum") || words.count(argument) == 0 || name == "navigate") continue;
      for (const auto& value : schema["enum"]) {
        const std::string key = words.at(argument) + "." + value.get<std::string>();
        if (key == "repeat.weekly") continue;  // has a sentence of its own
        for (const Language language : {Language::kMandarin, Language::kCantonese})
          EXPECT_TRUE(Phrases::of(language).has(key)) << key;
      }
    }
  }
}

TEST(AssistantPhrases, PartsInBracketsNeedTheirSlots) {
  EXPECT_EQ(say(Words{"set_light.on", {{"room", "kitchen"}}}, kMandarin), "厨房的灯开了。");
  EXPECT_EQ(say(Words{"set_light.on", {}}, kMandarin), "灯开了。");
  EXPECT_EQ(say(Words{"set_light.on", {{"room", "kitchen"}}}, kEnglish), "Lights on in the kitchen.");
  EXPECT_EQ(say(Words{"set_light.on", {{"room", nullptr}}}, kEnglish), "Lights on.");
  EXPECT_EQ(say(Words{"set_appliance.on", {{"appliance", "tv"}}}, kEnglish), "TV on.");
  EXPECT_EQ(say(Words{"set_appliance.on", {{"appliance", "fan"}}}, kEnglish), "Fan on.");
}

TEST(AssistantPhrases, WhatWasCopiedStaysAsItWasAndIsNeverASentence) {
  EXPECT_EQ(say(Words{"set_timer", {{"duration", 60}, {"label", "熄火{time}[x]"}}}, kMandarin),
            "1分钟的计时开始了：熄火{time}[x]。");
  EXPECT_EQ(say(Words{"set_timer", {{"duration", 60}, {"label", "麵"}}}, kGuangzhou), "开始计1分钟：麵。");
  EXPECT_EQ(say(Words{"create_reminder.someday", {{"text", "a\nb\x1b[2J"}}}, kEnglish),
            "I will remember: a b [2J.");
  std::string long_text;
  for (int i = 0; i < 300; ++i) long_text += "长";
  const std::string said = say(Words{"search_memory", {{"found", long_text}}}, kMandarin);
  EXPECT_EQ(said.size(), std::string("找到了：").size() + 600 + std::string("…。").size());
  // Nobody is asked to agree to what is not shown.
  const std::string asked = say(Words{"confirm", {{"tool", "x"}, {"arguments", long_text}}}, kMandarin);
  EXPECT_NE(asked.find(long_text), std::string::npos);
}

TEST(AssistantPhrases, ClocksDaysAndDurations) {
  const auto alarm = [](const char* time, const char* day, const Voice& voice) {
    return say(Words{"set_alarm", {{"time", time}, {"day", day}}}, voice);
  };
  EXPECT_EQ(alarm("07:05", "tomorrow", kEnglish), "Alarm set for 7:05 am tomorrow.");
  EXPECT_EQ(alarm("00:00", "2026-12-03", kEnglish), "Alarm set for 12:00 am on December 3.");
  EXPECT_EQ(alarm("12:30", "today", kEnglish), "Alarm set for 12:30 pm today.");
  EXPECT_EQ(alarm("19:30", "tomorrow", kMandarin), "明天晚上7:30的闹钟设好了。");
  EXPECT_EQ(alarm("19:30", "tomorrow", kTaiwan), "明天晚上7:30的鬧鐘設好了。");
  EXPECT_EQ(alarm("00:00", "2026-12-03", kMandarin), "12月3日凌晨0:00的闹钟设好了。");
  EXPECT_EQ(alarm("07:30", "day_after_tomorrow", kHongKong), "後日朝早7:30嘅鬧鐘校好喇。");
  const auto timer = [](int64_t seconds, const Voice& voice) {
    return say(Words{"set_timer", {{"duration", seconds}}}, voice);
  };
  EXPECT_EQ(timer(1, kEnglish), "Timer set for 1 second.");
  EXPECT_EQ(timer(5400, kEnglish), "Timer set for 1 hour 30 minutes.");
  EXPECT_EQ(timer(86400, kMandarin), "1天的计时开始了。");
  EXPECT_EQ(timer(3661, kHongKong), "開始計1個鐘1分鐘1秒。");
  EXPECT_EQ(say(Words{"cancel_timer", {{"count", 1}}}, kEnglish), "Timer cancelled.");
  EXPECT_EQ(say(Words{"cancel_timer", {{"count", 3}}}, kEnglish), "3 timers cancelled.");
}

TEST(AssistantPhrases, AProblemIsAlwaysSaid) {
  EXPECT_EQ(say(failed("never heard of"), kEnglish), "Sorry, that did not work.");
  EXPECT_EQ(say(failed(problem::kNotConnected), kHongKong), "呢部機冇駁到呢樣嘢。");
  EXPECT_EQ(say(Outcome{}, kMandarin), "好了。");
  EXPECT_EQ(say(done("set_curtain.stop.already"), kEnglish), "Curtains stopped.");
}

TEST(AssistantPhrases, FilesWithFaultsAreRefusedWithTheLine) {
  EXPECT_EQ(Phrases::read("a = b\nnothing", "f").error().where, "f:2");
  EXPECT_FALSE(Phrases::read("a = {b", "f").ok());
  EXPECT_FALSE(Phrases::read("a = [b", "f").ok());
  EXPECT_FALSE(Phrases::read("a = b]", "f").ok());
  EXPECT_FALSE(Phrases::read("a = [b [c]]", "f").ok());
  EXPECT_FALSE(Phrases::read("a = b\na = c", "f").ok());
  EXPECT_TRUE(Phrases::read("# remark\n\na = b = c\r\n", "f").ok());
}

// A simplified character of our Mandarin sentences that stands for several traditional ones must have been
// chosen.
TEST(AssistantPhrases, AmbiguousCharactersAreSettled) {
  std::map<char32_t, std::set<char32_t>> forms;
  std::set<char32_t> settled;
  const auto read = [&](std::string_view table, bool settles) {
    for (size_t begin = 0; begin < table.size();) {
      const size_t end = std::min(table.find('\n', begin), table.size());
      const std::string_view line = table.substr(begin, end - begin);
      begin = end + 1;
      if (line.empty() || line[0] == '#') continue;
      const Utf8Char first = decode_utf8(line, 0);
      const Utf8Char second = decode_utf8(line, static_cast<size_t>(first.size_bytes) + 1);
      forms[second.code_point].insert(first.code_point);
      if (settles) settled.insert(second.code_point);
    }
  };
  read(embedded::character_pairs(), false);
  read(embedded::traditional_choices(), true);
  for (const auto& [name, sentence] : Phrases::of(Language::kMandarin).all()) {
    for (size_t i = 0; i < sentence.size();) {
      const Utf8Char one = decode_utf8(sentence, i);
      i += static_cast<size_t>(one.size_bytes);
      if (forms[one.code_point].size() > 1) {
        EXPECT_EQ(settled.count(one.code_point), 1U) << name << ": " << sentence;
      }
    }
  }
}

TEST(AssistantLanguage, IsToldByItsMarks) {
  const auto voice = [](const char* text) { return voice_code(detect_voice(text)); };
  EXPECT_EQ(voice("把客厅的灯关了"), "cmn");
  EXPECT_EQ(voice("開燈"), "yue");
  EXPECT_EQ(voice("开灯"), "cmn");
  EXPECT_EQ(voice("請把客廳的燈關掉"), "cmn-Hant");
  EXPECT_EQ(voice("熄咗廳盞燈佢"), "yue");
  EXPECT_EQ(voice("熄咗厅盏灯佢"), "yue-Hans");
  EXPECT_EQ(voice("turn off the light"), "eng");
  EXPECT_EQ(voice("remind me to call 阿妈"), "eng");
  EXPECT_EQ(voice("set個鬧鐘七點唔該"), "yue");
  EXPECT_EQ(voice("把iPhone的wifi打开"), "cmn");
  EXPECT_EQ(voice(""), "eng");
  for (const char* code : {"cmn", "cmn-Hant", "yue", "yue-Hans", "eng"})
    EXPECT_EQ(voice_code(voice_of(code)), code);
}

TEST(AssistantLanguage, OtherLanguagesAreSeenButNamesInThemAreNot) {
  EXPECT_TRUE(is_other_language("リビングの電気を消して"));
  EXPECT_TRUE(is_other_language("выключи свет"));
  EXPECT_TRUE(is_other_language("불 꺼줘"));
  EXPECT_FALSE(is_other_language("play something by 宇多田ヒカル"));
  EXPECT_FALSE(is_other_language("打开客厅的灯"));
  EXPECT_FALSE(is_other_language("42"));
}

TEST(AssistantLanguage, ScriptsThereAndBack) {
  EXPECT_EQ(to_simplified("後日朝早嘅鬧鐘"), "后日朝早嘅闹钟");
  EXPECT_EQ(to_traditional("后天的闹钟设好了"), "後天的鬧鐘設好了");
  EXPECT_EQ(to_simplified("plain"), "plain");
}

}  // namespace
}  // namespace ink::assistant
