// See services/assistant/phrases.h.
#include "services/assistant/phrases.h"

#include <cmath>

#include "base/check.h"
#include "base/utf8.h"
#include "services/assistant/embedded.h"

namespace ink::assistant {
namespace {

// Of copied text; a spoken sentence is short. What somebody is asked to agree to is shown further.
constexpr size_t kMostSlotCharacters = 200;
constexpr size_t kMostAskedCharacters = 4000;

// Our own words in the script of the person.
std::string in_script(std::string_view text, const Voice& voice) {
  if (voice.language == Language::kMandarin && voice.traditional) return to_traditional(text);
  if (voice.language == Language::kCantonese && !voice.traditional) return to_simplified(text);
  return std::string(text);
}

// Copied text on one line, not too long, with nothing in it that could move a cursor.
std::string copied(std::string_view text, size_t most = kMostSlotCharacters) {
  std::string result;
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++count) {
    if (count == most) return result + "…";
    const Utf8Char character = decode_utf8(text, i);
    const char32_t c = character.code_point;
    if (character.size_bytes == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
      result += ' ';
    else
      append_utf8(result, c);
    i += static_cast<size_t>(std::max(character.size_bytes, 1));
  }
  return result;
}

std::string number_text(const Json& value) {
  if (value.is_number_integer()) return std::to_string(value.get<int64_t>());
  const double number = value.get<double>();
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", std::round(number * 1e6) / 1e6);
  return text;
}

bool is_closed(std::string_view sentence) {
  char open = 0;
  for (const char c : sentence) {
    if (c == '{' && open == '{') return false;
    if (c == '[' && open != 0) return false;
    if (c == '[' || (c == '{' && open == 0)) open = c;
    if (c == '}' && open == '{') open = 0;
    if (c == ']') {
      if (open != '[') return false;
      open = 0;
    }
  }
  return open == 0;
}

}  // namespace

Result<Phrases> Phrases::read(std::string_view text, const std::string& file) {
  Phrases phrases;
  int number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const std::string where = file + ":" + std::to_string(number);
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos)
      return Error{ErrorKind::kInvalid, where, "name = sentence", std::string(line), ""};
    const std::string name(trimmed(line.substr(0, equals)));
    const std::string_view sentence = trimmed(line.substr(equals + 1));
    if (name.empty() || !is_closed(sentence))
      return Error{ErrorKind::kInvalid, where, "a name, and brackets that are closed", std::string(line), ""};
    if (!phrases.sentences_.emplace(name, sentence).second)
      return Error{ErrorKind::kInvalid, where, "each name once", name, ""};
  }
  return phrases;
}

const Phrases& Phrases::of(Language language) {
  const auto load = [](Language one, const char* file) {
    auto phrases = read(embedded::phrases(one), file);
    INK_CHECK(phrases.ok(), "the embedded sentences can be read");
    return std::move(*phrases);
  };
  // Each is read when it is first needed: most requests need one.
  if (language == Language::kMandarin) {
    static const Phrases mandarin = load(language, "cmn.txt");
    return mandarin;
  }
  if (language == Language::kCantonese) {
    static const Phrases cantonese = load(language, "yue.txt");
    return cantonese;
  }
  static const Phrases english = load(language, "eng.txt");
  return english;
}

const std::string* Phrases::find(const std::string& name) const {
  const auto found = sentences_.find(name);
  return found == sentences_.end() ? nullptr : &found->second;
}

std::string Phrases::say(const Words& words, const Voice& voice) const {
  const std::string* sentence = nullptr;
  if (words.slots.is_object() && words.slots.value("count", Json()) == 1)
    sentence = find(words.phrase + ".one");
  if (sentence == nullptr) sentence = find(words.phrase);
  if (sentence == nullptr) return "";
  std::string said = fill(*sentence, words.slots, voice);
  if (!said.empty() && voice.language == Language::kEnglish && said.front() >= 'a' && said.front() <= 'z')
    said.front() = static_cast<char>(said.front() - 'a' + 'A');
  return said;
}

// One pass: `part` is the bracket we are in, kept apart until it is known whether all its slots are filled.
std::string Phrases::fill(std::string_view sentence, const Json& slots, const Voice& voice) const {
  std::string result;
  std::string part;
  bool in_part = false;
  bool part_is_whole = true;
  std::string plain;  // our own words since the last slot
  const auto end_plain = [&] {
    (in_part ? part : result) += in_script(plain, voice);
    plain.clear();
  };
  for (size_t i = 0; i < sentence.size(); ++i) {
    const char c = sentence[i];
    if (c == '[') {
      end_plain();
      in_part = part_is_whole = true;
      part.clear();
    } else if (c == ']') {
      end_plain();
      if (part_is_whole) result += part;
      in_part = false;
    } else if (c == '{') {
      end_plain();
      const size_t end = sentence.find('}', i);
      const std::string slot(sentence.substr(i + 1, end - i - 1));
      i = end;
      const auto value = slots.find(slot);
      const std::string text = value == slots.end() ? "" : slot_text(slot, *value, voice);
      if (text.empty()) part_is_whole = false;
      (in_part ? part : result) += text;
    } else {
      plain += c;
    }
  }
  end_plain();
  return result;
}

std::string Phrases::slot_text(const std::string& slot, const Json& value, const Voice& voice) const {
  if (value.is_null()) return "";
  if (value.is_array()) return joined(slot, value, voice);
  if (value.is_object()) {
    if (!value.contains("phrase")) return "";
    const std::string* sentence = find(value["phrase"].get<std::string>());
    return sentence == nullptr ? "" : fill(*sentence, value.value("slots", Json::object()), voice);
  }
  if (value.is_number()) {
    if (slot == "duration") return duration_text(value.get<int64_t>(), voice);
    const std::string number = number_text(value);
    const std::string* word = find(slot + "." + number);  // "weekday.0", "level.3"
    return word == nullptr ? number : in_script(*word, voice);
  }
  if (!value.is_string()) return "";
  const std::string text = value.get<std::string>();
  if (slot == "time") return clock_text(text, voice);
  if (const std::string* word = find(slot + "." + text)) return in_script(*word, voice);
  if (slot == "day") return date_text(text, voice);
  const bool is_asked_about = slot == "arguments" || slot == "text";
  return copied(text, is_asked_about ? kMostAskedCharacters : kMostSlotCharacters);
}

std::string Phrases::joined(const std::string& slot, const Json& list, const Voice& voice) const {
  std::string result;
  const std::string* between = find("list.between");
  const std::string* last = find("list.last");
  for (size_t i = 0; i < list.size(); ++i) {
    if (i > 0 && between != nullptr && last != nullptr) {
      // Quotes keep the spaces of ", " and " and " from being trimmed away.
      std::string mark = i + 1 == list.size() ? *last : *between;
      std::erase(mark, '"');
      result += in_script(mark, voice);
    }
    result += slot_text(slot, list[i], voice);
  }
  return result;
}

std::string Phrases::duration_text(int64_t seconds, const Voice& voice) const {
  struct Unit {
    const char* name;
    int64_t seconds;
  };
  static constexpr Unit kUnits[] = {{"days", 86400}, {"hours", 3600}, {"minutes", 60}, {"seconds", 1}};
  Json parts = Json::array();
  for (const auto& unit : kUnits) {
    const int64_t count = seconds / unit.seconds;
    seconds %= unit.seconds;
    if (count == 0 && !(unit.seconds == 1 && parts.empty())) continue;
    const std::string name = std::string("duration.") + unit.name;
    const bool single = count == 1 && has(name + ".one");
    parts.push_back({{"phrase", single ? name + ".one" : name}, {"slots", {{"n", count}}}});
  }
  std::string result;
  const std::string* between = find("duration.between");
  for (const auto& part : parts) {
    if (!result.empty() && between != nullptr) {
      std::string mark = *between;
      std::erase(mark, '"');
      result += mark;
    }
    result += slot_text("duration", part, voice);
  }
  return result;
}

// "19:30" as the language says it: a word for the part of the day, and hours of 12.
std::string Phrases::clock_text(const std::string& time, const Voice& voice) const {
  if (time.size() != 5 || time[2] != ':') return copied(time);
  const int hour = (time[0] - '0') * 10 + (time[1] - '0');
  const char* part = hour < 5    ? "night"
                     : hour < 8  ? "dawn"
                     : hour < 12 ? "morning"
                     : hour < 13 ? "noon"
                     : hour < 18 ? "afternoon"
                                 : "evening";
  const int twelve = hour % 12 == 0 ? (hour == 0 ? 0 : 12) : hour % 12;
  const bool english = voice.language == Language::kEnglish;
  const Json slots = {
      {"clock_part", part}, {"hour", english && twelve == 0 ? 12 : twelve}, {"minute", time.substr(3)}};
  const std::string* sentence = find("clock");
  return sentence == nullptr ? time : fill(*sentence, slots, voice);
}

std::string Phrases::date_text(const std::string& date, const Voice& voice) const {
  if (date.size() != 10 || date[4] != '-') return copied(date);
  const Json slots = {{"month", std::to_string(std::atoi(date.substr(5, 2).c_str()))},
                      {"day_of_month", std::atoi(date.substr(8, 2).c_str())}};
  const std::string* sentence = find("date");
  return sentence == nullptr ? date : fill(*sentence, slots, voice);
}

std::string say(const Words& words, const Voice& voice) {
  constexpr std::string_view kAlready = ".already";
  std::string said = Phrases::of(voice.language).say(words, voice);
  if (!said.empty() || !words.phrase.ends_with(kAlready)) return said;
  const std::string plain = words.phrase.substr(0, words.phrase.size() - kAlready.size());
  return Phrases::of(voice.language).say({plain, words.slots}, voice);
}

std::string say(const Outcome& outcome, const Voice& voice) {
  const Phrases& phrases = Phrases::of(voice.language);
  if (std::string said = say(outcome.words, voice); !said.empty()) return said;
  if (!outcome.done()) {
    if (std::string said = phrases.say({"problem." + outcome.problem, outcome.words.slots}, voice);
        !said.empty())
      return said;
  }
  return phrases.say({outcome.done() ? "done" : "problem.failed", {}}, voice);
}

}  // namespace ink::assistant
