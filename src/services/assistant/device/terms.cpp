// See services/assistant/device/terms.h.
#include "services/assistant/device/terms.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "base/utf8.h"
#include "services/assistant/language.h"

namespace ink::assistant {
namespace {

constexpr std::array<std::string_view, 44> kCommonWords = {
    "a",   "an",   "the",  "is",  "are",  "was",  "were",  "am",   "be",   "my",    "me",
    "i",   "we",   "our",  "you", "your", "what", "where", "when", "who",  "which", "how",
    "did", "do",   "does", "of",  "to",   "in",   "on",    "at",   "for",  "about", "that",
    "it",  "have", "has",  "had", "put",  "say",  "said",  "tell", "told", "and",   "with"};
// As simplified characters, since folded() makes them so.
constexpr std::array<std::string_view, 46> kCommonCharacters = {
    "的", "了", "吗", "呢", "吧", "是", "在", "什", "么", "我", "你", "有", "个", "那", "这", "哪",
    "里", "怎", "说", "过", "上", "次", "把", "到", "和", "就", "都", "还", "嘅", "咗", "喺", "系",
    "咩", "乜", "嘢", "边", "度", "点", "几", "时", "嗰", "啲", "佢", "呀", "讲", "放"};

template <size_t N>
bool holds(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_word(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c > 0xbf && c < 0x2000);
}

// The terms of a folded text: words, and pairs of neighbouring Han characters (a lone one stands for itself).
std::set<std::string> terms_of(const std::string& text) {
  std::set<std::string> terms;
  std::string word;
  std::string previous;  // the Han character before, if any
  bool paired = false;
  const auto end_word = [&] {
    if (!word.empty() && !holds(kCommonWords, word)) terms.insert(word);
    word.clear();
  };
  const auto end_han = [&] {
    if (!previous.empty() && !paired) terms.insert(previous);
    previous.clear();
    paired = false;
  };
  for (size_t i = 0; i < text.size();) {
    const Utf8Char one = decode_utf8(text, i);
    const size_t size = static_cast<size_t>(std::max(one.size_bytes, 1));
    const std::string character = text.substr(i, size);
    i += size;
    if (is_han(one.code_point) && !holds(kCommonCharacters, character)) {
      end_word();
      if (!previous.empty()) terms.insert(previous + character);
      paired = !previous.empty();
      previous = character;
      continue;
    }
    end_han();
    if (is_word(one.code_point))
      word += character;
    else
      end_word();
  }
  end_word();
  end_han();
  return terms;
}

}  // namespace

std::string folded(std::string_view text) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &mapped, options);
  if (size < 0) return std::string(text);
  const std::string whole = to_simplified({reinterpret_cast<const char*>(mapped), static_cast<size_t>(size)});
  std::free(mapped);
  std::string result;
  for (const char c : whole) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space)
      result += c;
    else if (!result.empty() && result.back() != ' ')
      result += ' ';
  }
  if (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

bool alike(std::string_view a, std::string_view b) {
  const std::string one = folded(a);
  const std::string other = folded(b);
  if (one.empty() || other.empty()) return false;
  return one.find(other) != std::string::npos || other.find(one) != std::string::npos;
}

double share_of_terms(std::string_view question, std::string_view text) {
  const std::string where = folded(text);
  const std::set<std::string> wanted = terms_of(folded(question));
  if (wanted.empty()) return alike(question, text) ? 1 : 0;
  const std::set<std::string> present = terms_of(where);
  double found = 0;
  for (const auto& term : wanted) {
    const bool whole_word = present.count(term) != 0;
    const bool inside =
        static_cast<unsigned char>(term.front()) >= 0x80 && where.find(term) != std::string::npos;
    if (whole_word || inside) found += 1;
  }
  return found / static_cast<double>(wanted.size());
}

}  // namespace ink::assistant
