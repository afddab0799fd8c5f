// See services/assistant/language.h.
#include "services/assistant/language.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/utf8.h"
#include "services/assistant/embedded.h"

namespace ink::assistant {
namespace {

// Characters and words that only one of the two writes, in either script.
constexpr std::array<std::string_view, 49> kCantoneseMarks = {
    "嘅",   "咗",   "喺",   "唔",   "冇",   "嗰",   "啲",   "佢",   "咩",   "嘢",  "嚟", "畀", "俾",
    "喎",   "㗎",   "嘞",   "囉",   "哋",   "乜",   "噉",   "咁",   "攞",   "搵",  "揾", "瞓", "攰",
    "嬲",   "嗌",   "諗",   "靚",   "係",   "睇",   "啩",   "嗮",   "晒",   "吖",  "返", "哂", "巴仙",
    "而家", "今日", "聽日", "听日", "聽朝", "听朝", "朝早", "點解", "邊度", "边度"};
constexpr std::array<std::string_view, 24> kMoreCantoneseMarks = {
    "幾多", "几多", "下晝", "下昼", "晏晝", "晏昼", "夜晚", "睡房", "細路", "主人房", "沖涼", "冲凉",
    "架車", "架车", "車尾", "车尾", "提我", "記低", "记低", "個鐘", "早晨", "的士",   "同埋", "唞"};
constexpr std::array<std::string_view, 30> kMandarinMarks = {
    "的", "了", "吗", "嗎", "把", "这", "這", "那", "们", "們",   "什么", "什麼", "怎么", "怎麼", "是",
    "在", "没", "沒", "给", "給", "她", "吧", "呢", "您", "今天", "明天", "早上", "客厅", "卧室", "一下"};
// English words that somebody who speaks Chinese does not mix in.
constexpr std::array<std::string_view, 24> kEnglishMarks = {
    "the", "to",   "a",  "an", "my", "in", "on",   "at",     "please", "and",  "for",  "of",
    "is",  "what", "me", "it", "i",  "by", "with", "saying", "into",   "that", "some", "your"};

size_t occurrences(std::string_view text, std::string_view mark) {
  size_t count = 0;
  for (size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + mark.size()))
    ++count;
  return count;
}

template <size_t N>
size_t count_marks(std::string_view text, const std::array<std::string_view, N>& marks) {
  size_t count = 0;
  for (const auto mark : marks) count += occurrences(text, mark);
  return count;
}

bool is_latin(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\''; }

// Calls visit(code point) for every character that can be read.
template <typename Visit>
void for_each_character(std::string_view text, const Visit& visit) {
  for (size_t i = 0; i < text.size();) {
    const Utf8Char character = decode_utf8(text, i);
    if (character.size_bytes > 0) visit(character.code_point);
    i += static_cast<size_t>(std::max(character.size_bytes, 1));
  }
}

size_t count_english_marks(std::string_view text) {
  size_t count = 0;
  std::string word;
  const auto end_word = [&] {
    if (std::find(kEnglishMarks.begin(), kEnglishMarks.end(), word) != kEnglishMarks.end()) ++count;
    word.clear();
  };
  for_each_character(text, [&](char32_t c) {
    if (is_latin(c))
      word += static_cast<char>(std::tolower(static_cast<int>(c)));
    else
      end_word();
  });
  end_word();
  return count;
}

// Both directions of the character table. A simplified character with several traditional ones takes what
// phrases/traditional.txt says, else the first.
struct Scripts {
  std::unordered_map<char32_t, char32_t> simplified, traditional;
  Scripts() {
    read(embedded::traditional_choices());
    read(embedded::character_pairs());
  }
  void read(std::string_view table) {
    for (size_t begin = 0; begin < table.size();) {
      const size_t end = std::min(table.find('\n', begin), table.size());
      const std::string_view line = table.substr(begin, end - begin);
      begin = end + 1;
      if (line.empty() || line.front() == '#') continue;
      std::vector<char32_t> pair;
      for_each_character(line, [&](char32_t c) {
        if (c != ' ') pair.push_back(c);
      });
      if (pair.size() != 2) continue;
      simplified.emplace(pair[0], pair[1]);
      traditional.emplace(pair[1], pair[0]);
    }
  }
};

const Scripts& scripts() {
  static const Scripts both;
  return both;
}

std::string replaced(std::string_view text, const std::unordered_map<char32_t, char32_t>& table) {
  std::string result;
  for_each_character(text, [&](char32_t c) {
    const auto found = table.find(c);
    append_utf8(result, found == table.end() ? c : found->second);
  });
  return result;
}

// Characters of one script only: more traditional than simplified ones. Nothing: none of either.
std::optional<bool> looks_traditional(std::string_view text) {
  int balance = 0;
  bool any = false;
  for_each_character(text, [&](char32_t c) {
    const bool old_form = scripts().simplified.count(c) != 0;
    const bool new_form = scripts().traditional.count(c) != 0;
    if (old_form == new_form) return;
    balance += old_form ? 1 : -1;
    any = true;
  });
  if (!any) return std::nullopt;
  return balance > 0;
}

}  // namespace

bool is_han(char32_t c) { return (c >= 0x3400 && c <= 0x9fff) || (c >= 0x20000 && c <= 0x3ffff); }

Voice detect_voice(std::string_view text) {
  bool has_han = false;
  for_each_character(text, [&](char32_t c) { has_han = has_han || is_han(c); });
  if (!has_han) return {Language::kEnglish, false};
  const size_t cantonese = count_marks(text, kCantoneseMarks) + count_marks(text, kMoreCantoneseMarks);
  const size_t mandarin = count_marks(text, kMandarinMarks);
  const size_t english = count_english_marks(text);
  if (english > 0 && english >= cantonese + mandarin) return {Language::kEnglish, false};
  const std::optional<bool> traditional = looks_traditional(text);
  if (cantonese == mandarin) {
    // Short commands without marks: whoever writes 開燈 is more often Cantonese here, 开灯 Mandarin.
    const bool is_cantonese = traditional.value_or(false);
    return {is_cantonese ? Language::kCantonese : Language::kMandarin, is_cantonese};
  }
  if (cantonese > mandarin) return {Language::kCantonese, traditional.value_or(true)};
  return {Language::kMandarin, traditional.value_or(false)};
}

std::string voice_code(const Voice& voice) {
  if (voice.language == Language::kMandarin) return voice.traditional ? "cmn-Hant" : "cmn";
  if (voice.language == Language::kCantonese) return voice.traditional ? "yue" : "yue-Hans";
  return "eng";
}

Voice voice_of(std::string_view code) {
  if (code.starts_with("cmn")) return {Language::kMandarin, code == "cmn-Hant"};
  if (code.starts_with("yue")) return {Language::kCantonese, code != "yue-Hans"};
  return {};
}

bool is_other_language(std::string_view text) {
  size_t ours = 0;
  size_t foreign = 0;
  for_each_character(text, [&](char32_t c) {
    if (is_han(c) || is_latin(c)) ++ours;
    if ((c >= 0x370 && c <= 0x1dff) || (c >= 0x3041 && c <= 0x30ff) || (c >= 0x3131 && c <= 0x318e) ||
        (c >= 0xac00 && c <= 0xd7af) || (c >= 0xff66 && c <= 0xffdc))
      ++foreign;
  });
  return foreign > ours;
}

std::string to_simplified(std::string_view text) { return replaced(text, scripts().simplified); }
std::string to_traditional(std::string_view text) { return replaced(text, scripts().traditional); }

}  // namespace ink::assistant
