// See grammar_gbnf_read.h. Recursive descent; groups nest at most kMaxGbnfDepth deep.
#include "runtime/grammar_gbnf_read.h"

#include <algorithm>

#include "base/utf8.h"

namespace ink {
namespace {

constexpr size_t kMaxGbnfBytes = size_t{1} << 18;
constexpr int kMaxGbnfDepth = 64;
constexpr uint32_t kMaxGbnfTimes = 100'000;

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class GbnfReader {
 public:
  explicit GbnfReader(std::string_view text) : text_(text) {}

  Result<GbnfRules> read() {
    if (text_.size() > kMaxGbnfBytes)
      return Error{ErrorKind::kTooLarge, "grammar", "at most " + std::to_string(kMaxGbnfBytes) + " bytes",
                   std::to_string(text_.size()), ""};
    GbnfRules rules;
    for (skip_space(true); more(); skip_space(true)) {
      const std::string name = read_name();
      if (name.empty()) return refuse("the name of a rule");
      skip_space(false);
      if (!take("::=")) return refuse("::=");
      skip_space(true);
      const auto [rule, is_new] = rules.try_emplace(name);
      if (!is_new) return refuse("one definition of '" + name + "'");
      if (auto status = read_alternatives(rule->second, 0); !status.ok()) return status.error();
      if (more() && peek() != '\n' && peek() != '\r') return refuse("the end of the line");
    }
    if (rules.count("root") == 0)
      return Error{ErrorKind::kInvalid, "grammar", "a rule called root", "none", ""};
    for (const auto& [name, where] : mentioned_) {
      if (rules.count(name) == 0)
        return Error{ErrorKind::kInvalid, where, "a rule called '" + name + "'", "none", ""};
    }
    return rules;
  }

 private:
  std::string where() const {
    const std::string_view before = text_.substr(0, at_);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t start = before.rfind('\n');
    const size_t column = start == std::string_view::npos ? at_ + 1 : at_ - start;
    return "grammar, line " + std::to_string(line) + ", column " + std::to_string(column);
  }
  Error refuse(std::string wanted, ErrorKind kind = ErrorKind::kInvalid) const {
    const std::string got =
        more() ? "'" + std::string(first_characters(text_.substr(at_), 40)) + "'" : "the end";
    return {kind, where(), std::move(wanted), got, ""};
  }
  bool more() const { return at_ < text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  void skip_space(bool lines) {
    while (more()) {
      if (peek() == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (peek() == ' ' || peek() == '\t' || (lines && (peek() == '\n' || peek() == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }
  std::string read_name() {
    const size_t start = at_;
    while (more() && is_name_byte(peek())) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  Status read_alternatives(GbnfAlternatives& alternatives, int depth) {
    if (depth > kMaxGbnfDepth) return refuse("fewer groups in each other", ErrorKind::kTooLarge);
    do {
      if (!alternatives.empty()) skip_space(true);
      alternatives.emplace_back();
      if (auto status = read_sequence(alternatives.back(), depth); !status.ok()) return status;
    } while (take("|"));
    return Done{};
  }

  Status read_sequence(GbnfSequence& sequence, int depth) {
    const bool lines = depth > 0;
    for (skip_space(lines); more(); skip_space(lines)) {
      const char c = peek();
      if (c == '|' || c == ')' || c == '\n' || c == '\r') return Done{};
      const size_t first = sequence.size();
      const std::string at = where();
      if (auto status = read_item(sequence, depth); !status.ok()) return status;
      if (auto status = read_repetition(sequence, first); !status.ok()) return status;
      for (size_t i = first; i < sequence.size(); ++i) sequence[i].where = at;
    }
    return Done{};
  }

  Status read_item(GbnfSequence& sequence, int depth) {
    GbnfItem item;
    if (take("\"")) return read_literal(sequence);
    if (take("[")) {
      if (auto status = read_set(item.set); !status.ok()) return status;
    } else if (take(".")) {
      item.set = CodeSet::all();
    } else if (take("(")) {
      item.kind = GbnfItem::Kind::kAlternatives;
      if (auto status = read_alternatives(item.group, depth + 1); !status.ok()) return status;
      if (!take(")")) return refuse("a closing bracket");
    } else if (is_name_byte(peek())) {
      item.kind = GbnfItem::Kind::kRule;
      const std::string at = where();
      item.rule = read_name();
      mentioned_.try_emplace(item.rule, at);
    } else {
      const bool token = peek() == '<' || peek() == '!';
      return refuse("a literal, a class, a group or the name of a rule",
                    token ? ErrorKind::kUnsupported : ErrorKind::kInvalid);
    }
    sequence.push_back(std::move(item));
    return Done{};
  }

  // Each character an item; a repetition behind it is of the whole.
  Status read_literal(GbnfSequence& sequence) {
    while (more() && peek() != '"') {
      const auto code = read_character();
      if (!code.ok()) return code.error();
      GbnfItem item;
      item.set = CodeSet(*code, *code);
      sequence.push_back(std::move(item));
    }
    if (!take("\"")) return refuse("a closing quotation mark");
    return Done{};
  }

  Status read_set(CodeSet& set) {
    const bool negated = take("^");
    while (more() && peek() != ']') {
      const auto first = read_character();
      if (!first.ok()) return first.error();
      char32_t last = *first;
      if (at_ + 1 < text_.size() && peek() == '-' && text_[at_ + 1] != ']') {
        ++at_;
        const auto end = read_character();
        if (!end.ok()) return end.error();
        last = *end;
      }
      if (last < *first) return refuse("a range that rises");
      set |= CodeSet(*first, last);
    }
    if (!take("]")) return refuse("a closing ]");
    if (negated) set = ~set;
    return Done{};
  }

  Result<char32_t> read_character() {
    if (take("\\")) return read_gbnf_escape();
    const Utf8Char character = decode_utf8(text_, at_);
    if (character.size_bytes == 0) return refuse("UTF-8");
    at_ += static_cast<size_t>(character.size_bytes);
    return character.code_point;
  }

  Result<char32_t> read_gbnf_escape() {
    if (!more()) return refuse("a character behind it");
    const char c = text_[at_++];
    const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (c == 'n') return char32_t{'\n'};
    if (c == 'r') return char32_t{'\r'};
    if (c == 't') return char32_t{'\t'};
    if (digits == 0) {
      if (std::string_view("\\\"[]-^").find(c) != std::string_view::npos) return static_cast<char32_t>(c);
      return refuse("an escape that there is");
    }
    const std::string_view number = text_.substr(at_, digits);
    uint64_t code = 0;
    for (const char digit : number) {
      if (std::string_view("0123456789abcdefABCDEF").find(digit) == std::string_view::npos)
        return refuse("hexadecimal digits");
      code = code * 16 + static_cast<uint64_t>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    if (number.size() < digits || code > 0x10ffff) return refuse("the hexadecimal digits of a character");
    at_ += digits;
    return static_cast<char32_t>(code);
  }

  Status read_repetition(GbnfSequence& sequence, size_t first) {
    uint32_t least = 1, most = 1;
    if (take("*")) {
      least = 0, most = kNoLimit;
    } else if (take("+")) {
      most = kNoLimit;
    } else if (take("?")) {
      least = 0;
    } else if (take("{")) {
      if (auto status = read_counts(least, most); !status.ok()) return status;
    } else {
      return Done{};
    }
    if (more() && std::string_view("*+?{").find(peek()) != std::string_view::npos)
      return refuse("one repetition");
    if (sequence.size() != first + 1) {  // of a literal of no character, or of several
      GbnfItem whole;
      whole.kind = GbnfItem::Kind::kAlternatives;
      whole.group.emplace_back(std::make_move_iterator(sequence.begin() + static_cast<std::ptrdiff_t>(first)),
                               std::make_move_iterator(sequence.end()));
      sequence.resize(first);
      sequence.push_back(std::move(whole));
    }
    sequence.back().least = least;
    sequence.back().most = most;
    return Done{};
  }

  Status read_counts(uint32_t& least, uint32_t& most) {
    if (auto status = read_number(least); !status.ok()) return status;
    most = least;
    skip_space(false);
    if (take(",")) {
      most = kNoLimit;
      skip_space(false);
      if (more() && peek() != '}') {
        if (auto status = read_number(most); !status.ok()) return status;
      }
    }
    skip_space(false);
    if (!take("}")) return refuse("a closing }");
    return least <= most ? Status(Done{}) : Status(refuse("counts that rise"));
  }
  Status read_number(uint32_t& number) {
    skip_space(false);
    const size_t start = at_;
    for (number = 0; more() && peek() >= '0' && peek() <= '9'; ++at_) {
      number = number * 10 + static_cast<uint32_t>(peek() - '0');
      if (number > kMaxGbnfTimes)
        return refuse("at most " + std::to_string(kMaxGbnfTimes) + " times", ErrorKind::kTooLarge);
    }
    return at_ > start ? Status(Done{}) : Status(refuse("a number"));
  }

  std::string_view text_;
  size_t at_ = 0;
  std::map<std::string, std::string> mentioned_;  // rules, and where first
};

}  // namespace

Result<GbnfRules> read_gbnf(std::string_view text) { return GbnfReader(text).read(); }

}  // namespace ink
