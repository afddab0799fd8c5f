// Tokenizer::from_json: reads Hugging Face's tokenizer.json into a Vocabulary. The file has 150,000 tokens
// and as many merges, so these two go straight from the parser's events into vectors; the few other settings
// become a small JSON value that is then checked one by one: whatever would change ids and is not what we do
// is refused by name, never skipped. Not read: post_processor (what a model puts around a prompt is the
// caller's business), truncation, padding, decoder (byte-level BPE has only one).
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"
#include "text/vocabulary_table.h"

namespace ink {
namespace {

using Settings = nlohmann::json;  // not ordered: ordered objects look their keys up one after the other

// Takes model.vocab and model.merges out of the event stream and passes all else on to `settings`.
class TokenizerEvents {
 public:
  TokenizerEvents(Settings& settings, Vocabulary& vocabulary)
      : settings_(settings, false), vocabulary_(vocabulary) {}

  const std::string& problem() const { return problem_; }

  bool null() { return part_ == Part::kSettings ? settings_.null() : misplaced("null"); }
  bool boolean(bool value) {
    return part_ == Part::kSettings ? settings_.boolean(value) : misplaced("a truth value");
  }
  bool number_integer(int64_t value) {
    return part_ == Part::kSettings ? settings_.number_integer(value) : misplaced("a negative number");
  }
  bool number_float(double value, const std::string& text) {
    return part_ == Part::kSettings ? settings_.number_float(value, text) : misplaced(text);
  }
  bool binary(Settings::binary_t& value) { return settings_.binary(value); }
  bool number_unsigned(uint64_t value) {
    if (part_ == Part::kSettings) return settings_.number_unsigned(value);
    if (part_ == Part::kVocabulary) return add_token(value);
    return misplaced("a number");
  }
  bool string(std::string& value) {
    if (part_ == Part::kSettings) return settings_.string(value);
    if (part_ == Part::kMerges) return add_merge(std::move(value));
    if (part_ == Part::kPair) return add_half(value);
    return misplaced("a string");
  }
  bool key(std::string& name) {
    if (part_ == Part::kVocabulary) {
      token_ = std::move(name);
      return true;
    }
    if (depth_ == 1) in_model_ = name == "model";
    if (depth_ == 2 && in_model_)
      next_ = name == "vocab" ? Part::kVocabulary : name == "merges" ? Part::kMerges : Part::kSettings;
    return settings_.key(name);
  }
  bool start_object(size_t count) {
    if (std::exchange(next_, Part::kSettings) == Part::kVocabulary) return enter(Part::kVocabulary);
    if (part_ != Part::kSettings) return misplaced("an object");
    return deeper() && settings_.start_object(count);
  }
  bool end_object() {
    if (part_ == Part::kVocabulary) return leave();
    --depth_;
    return settings_.end_object();
  }
  bool start_array(size_t count) {
    if (std::exchange(next_, Part::kSettings) == Part::kMerges) return enter(Part::kMerges);
    if (part_ == Part::kMerges) {
      part_ = Part::kPair;
      halves_ = 0;
      return true;
    }
    if (part_ != Part::kSettings) return misplaced("a list");
    return deeper() && settings_.start_array(count);
  }
  bool end_array() {
    if (part_ == Part::kMerges) return leave();
    if (part_ == Part::kPair) {
      part_ = Part::kMerges;
      return halves_ == 2 || misplaced("a list of another length than 2");
    }
    --depth_;
    return settings_.end_array();
  }
  template <class Exception>
  bool parse_error(size_t position, const std::string& near, const Exception&) {
    problem_ = "an error at byte " + std::to_string(position) + " near '" +
               near.substr(near.size() - std::min<size_t>(near.size(), 40)) + "'";
    return false;
  }

 private:
  enum class Part { kSettings, kVocabulary, kMerges, kPair };

  // The part is left out of the settings: there stands null.
  bool enter(Part part) {
    part_ = part;
    if (part == Part::kVocabulary) vocabulary_.tokens.clear();
    if (part == Part::kMerges) vocabulary_.merges.clear();
    return settings_.null();
  }
  bool leave() {
    part_ = Part::kSettings;
    return true;
  }
  bool deeper() {
    if (++depth_ <= kMaxJsonDepth) return true;
    problem_ = "more than " + std::to_string(kMaxJsonDepth) + " levels of nesting";
    return false;
  }
  bool misplaced(const std::string& what) {
    problem_ = what + (part_ == Part::kVocabulary ? " in model.vocab" : " in model.merges");
    return false;
  }
  bool add_token(uint64_t id) {
    if (id >= VocabularyTable::kMaxTokens) return misplaced("the id " + std::to_string(id));
    auto& tokens = vocabulary_.tokens;
    if (tokens.size() <= id) tokens.resize(static_cast<size_t>(id) + 1);
    if (!tokens[id].empty()) return misplaced("the id " + std::to_string(id) + " twice");
    tokens[id] = std::move(token_);
    return true;
  }
  bool add_merge(std::string&& text) {
    vocabulary_.merges.push_back(std::move(text));
    return true;
  }
  bool add_half(const std::string& text) {
    if (halves_++ == 0) {
      vocabulary_.merges.push_back(text);
    } else {
      vocabulary_.merges.back() += ' ';
      vocabulary_.merges.back() += text;
    }
    return true;
  }

  nlohmann::detail::json_sax_dom_parser<Settings> settings_;
  Vocabulary& vocabulary_;
  std::string problem_;
  std::string token_;
  Part part_ = Part::kSettings;
  Part next_ = Part::kSettings;  // what the value of the key just read belongs to
  bool in_model_ = false;
  int depth_ = 0;
  int halves_ = 0;
};

// Checks settings against what we do. Reports the first that differs.
class SettingsCheck {
 public:
  explicit SettingsCheck(std::string where) : where_(std::move(where)) {}

  // The value at `pointer` must be one of `allowed`; one that is not there counts as null.
  void expect(const Settings& settings, const std::string& pointer, const std::vector<Settings>& allowed) {
    if (error_) return;
    const Settings value = at(settings, pointer);
    for (const Settings& one : allowed) {
      if (value == one) return;
    }
    fail(pointer, allowed.front().dump(), shown(value));
  }
  void fail(const std::string& what, std::string wanted, std::string got) {
    if (error_) return;
    error_ = Error{ErrorKind::kUnsupported, where_ + ": " + what, std::move(wanted), std::move(got), ""};
  }
  const std::optional<Error>& error() const { return error_; }

  static Settings at(const Settings& settings, const std::string& pointer) {
    const Settings::json_pointer path(pointer);
    return settings.contains(path) ? settings.at(path) : Settings();
  }
  static std::string shown(const Settings& value) {
    std::string text = value.dump(-1, ' ', false, Settings::error_handler_t::replace);
    if (text.size() > 200) text = text.substr(0, 200) + "...";
    return text;
  }

 private:
  std::string where_;
  std::optional<Error> error_;
};

void check_model(const Settings& settings, SettingsCheck& check) {
  const Settings none;
  check.expect(settings, "/model/type", {"BPE", none});
  check.expect(settings, "/model/ignore_merges", {false, none});
  check.expect(settings, "/model/byte_fallback", {false, none});
  check.expect(settings, "/model/dropout", {none, 0.0});
  check.expect(settings, "/model/continuing_subword_prefix", {"", none});
  check.expect(settings, "/model/end_of_word_suffix", {"", none});
  check.expect(settings, "/normalizer/type", {"NFC"});
}

// The two steps: a Split by the family's expression, then the letters for bytes.
void check_pre_tokenizer(const Settings& settings, SettingsCheck& check, PreTokenizer& pre) {
  const Settings none;
  const std::string first = "/pre_tokenizer/pretokenizers/0";
  const std::string second = "/pre_tokenizer/pretokenizers/1";
  check.expect(settings, "/pre_tokenizer/type", {"Sequence"});
  check.expect(settings, first + "/type", {"Split"});
  check.expect(settings, first + "/behavior", {"Isolated"});
  check.expect(settings, first + "/invert", {false, none});
  check.expect(settings, second + "/type", {"ByteLevel"});
  check.expect(settings, second + "/add_prefix_space", {false});
  check.expect(settings, second + "/use_regex", {false});
  check.expect(settings, "/pre_tokenizer/pretokenizers/2", {none});
  const Settings pattern = SettingsCheck::at(settings, first + "/pattern/Regex");
  const auto known = pattern.is_string() ? find_pre_tokenizer(pattern.get_ref<const std::string&>())
                                         : std::optional<PreTokenizer>();
  if (known) {
    pre = *known;
  } else {
    check.fail(first + "/pattern/Regex", "the expression of Qwen2 or of Qwen3.5",
               SettingsCheck::shown(pattern));
  }
}

void read_added_tokens(const Settings& settings, SettingsCheck& check, std::vector<AddedToken>& added) {
  const Settings list = SettingsCheck::at(settings, "/added_tokens");
  if (list.is_null()) return;
  if (!list.is_array()) return check.fail("/added_tokens", "a list", SettingsCheck::shown(list));
  for (const Settings& entry : list) {
    const Settings id = SettingsCheck::at(entry, "/id");
    const Settings content = SettingsCheck::at(entry, "/content");
    const bool good = id.is_number_unsigned() && id.get<uint64_t>() < VocabularyTable::kMaxTokens &&
                      content.is_string() && !content.get_ref<const std::string&>().empty();
    if (!good) return check.fail("added token", "an id and a text", SettingsCheck::shown(entry));
    const std::string name = "added token " + SettingsCheck::shown(content);
    for (const char* flag : {"/single_word", "/lstrip", "/rstrip", "/normalized"}) {
      if (SettingsCheck::at(entry, flag) == Settings(true))
        return check.fail(name, std::string(flag + 1) + " = false", "true");
    }
    added.push_back({id.get<int32_t>(), content.get<std::string>(),
                     SettingsCheck::at(entry, "/special") == Settings(true)});
  }
}

}  // namespace

Result<Tokenizer> Tokenizer::from_json(std::string_view tokenizer_json, const std::string& where) {
  Settings settings;
  Vocabulary vocabulary;
  TokenizerEvents events(settings, vocabulary);
  if (!Settings::sax_parse(tokenizer_json.begin(), tokenizer_json.end(), &events))
    return Error{ErrorKind::kInvalid, where, "a tokenizer.json", events.problem(), ""};
  SettingsCheck check(where);
  check_model(settings, check);
  check_pre_tokenizer(settings, check, vocabulary.pre);
  read_added_tokens(settings, check, vocabulary.added);
  if (check.error()) return *check.error();
  return from_vocabulary(vocabulary, where);
}

}  // namespace ink
