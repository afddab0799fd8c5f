// See grammar_pattern_read.h. Recursive descent; groups nest at most kMaxGroupDepth deep.
#include "runtime/grammar_pattern_read.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"

namespace ink {
namespace {

constexpr int kMaxGroupDepth = 16;
constexpr uint32_t kMaxTimes = 65'535;  // in {n,m}
constexpr size_t kMaxPatternBytes = 4096;

// What all validators put into a class, and what some may: its negation is what none does.
struct ClassSet {
  CodeSet sure, maybe;
  void add(const ClassSet& other) {
    sure |= other.sure;
    maybe |= other.maybe;
  }
  ClassSet operator~() const { return {~maybe, ~sure}; }
  static ClassSet exactly(const CodeSet& set) { return {set, set}; }
};

ClassSet class_of(char letter) {
  CodeSet set, more;
  if (letter == 'd' || letter == 'w') {
    set = CodeSet('0', '9');
    more = CodeSet(0x80, 0x10ffff);
  }
  if (letter == 'w') {
    set |= CodeSet('a', 'z');
    set |= CodeSet('A', 'Z');
    set |= CodeSet('_', '_');
  }
  if (letter == 's') {
    set = CodeSet::of(U"\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000");
    set |= CodeSet(0x2000, 0x200a);
    more = CodeSet::of(U"\u0085\ufeff\u180e");
    more |= CodeSet(0x1c, 0x1f);
  }
  return {set, more |= set};
}

std::optional<char32_t> control_escape(char letter) {
  switch (letter) {
    case 't':
      return U'\t';
    case 'n':
      return U'\n';
    case 'r':
      return U'\r';
    case 'f':
      return U'\f';
    case 'v':
      return U'\v';
    default:
      return std::nullopt;
  }
}

class PatternReader {
 public:
  PatternReader(std::string_view pattern, const std::string& where) : text_(pattern), where_(where) {}

  Result<Pattern> read() {
    if (text_.size() > kMaxPatternBytes)
      return refuse("at most " + std::to_string(kMaxPatternBytes) + " bytes", ErrorKind::kTooLarge);
    Pattern pattern;
    do {
      Pattern::Branch branch;
      branch.from_start = take("^");
      if (auto status = read_sequence(branch.sequence, 0); !status.ok()) return status.error();
      branch.to_end = take("$");
      pattern.branches.push_back(std::move(branch));
    } while (take("|"));
    if (at_ < text_.size()) return refuse(peek() == ')' ? "an opening bracket for it" : "the end");
    return pattern;
  }

 private:
  Error refuse(const std::string& wanted, ErrorKind kind = ErrorKind::kUnsupported) const {
    const std::string got =
        more() ? "'" + std::string(first_characters(text_.substr(at_), 40)) + "'" : "its end";
    return {kind, where_ + ".pattern, byte " + std::to_string(at_), wanted, got, ""};
  }
  bool more() const { return at_ < text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  Status read_sequence(PatternSequence& sequence, int depth) {
    while (more() && std::string_view("|)$").find(peek()) == std::string_view::npos) {
      PatternPart part;
      if (auto status = read_part(part, depth); !status.ok()) return status.error();
      if (auto status = read_quantifier(part); !status.ok()) return status.error();
      sequence.push_back(std::move(part));
    }
    return Done{};
  }

  Status read_group(PatternPart& part, int depth) {
    part.is_group = true;
    if (depth >= kMaxGroupDepth)
      return refuse("at most " + std::to_string(kMaxGroupDepth) + " groups in each other");
    if (take("?<") && more() && peek() != '=' && peek() != '!') {
      at_ = std::min(text_.find('>', at_), text_.size());
      if (!take(">")) return refuse("the end of a name", ErrorKind::kInvalid);
    } else if (!take("?:") && more() && (peek() == '?' || text_[at_ - 1] == '<')) {
      return refuse("a plain group");
    }
    do {
      part.alternatives.emplace_back();
      if (auto status = read_sequence(part.alternatives.back(), depth + 1); !status.ok())
        return status.error();
      if (more() && peek() == '$') return refuse("$ at the end of the pattern only");
    } while (take("|"));
    if (!take(")")) return refuse("a closing bracket", ErrorKind::kInvalid);
    return Done{};
  }

  Status read_part(PatternPart& part, int depth) {
    if (take("(")) return read_group(part, depth);
    if (take("[")) return read_class(part.set);
    if (take(".")) {
      part.set = ~CodeSet::of(U"\n\r\u2028\u2029\u0085");
      return Done{};
    }
    if (peek() == '\\') {
      auto set = read_escape(false);
      if (!set.ok()) return set.error();
      part.set = std::move(set->sure);
      return Done{};
    }
    if (std::string_view("^*+?{}").find(peek()) != std::string_view::npos)
      return refuse("a character, a class or a group");
    return read_character(part.set);
  }

  Status read_character(CodeSet& set) {
    const Utf8Char character = decode_utf8(text_, at_);
    if (character.size_bytes == 0) return refuse("UTF-8", ErrorKind::kInvalid);
    at_ += static_cast<size_t>(character.size_bytes);
    set = CodeSet(character.code_point, character.code_point);
    return Done{};
  }

  Result<ClassSet> read_escape(bool in_class) {
    ++at_;
    if (!more()) return refuse("a character after it", ErrorKind::kInvalid);
    const char c = text_[at_++];
    if (c == 'd' || c == 'w' || c == 's') return class_of(c);
    if (c == 'D' || c == 'W' || c == 'S') return ~class_of(static_cast<char>(c - 'A' + 'a'));
    const auto one = [](char32_t code) { return ClassSet::exactly(CodeSet(code, code)); };
    if (const auto code = control_escape(c)) return one(*code);
    if (c == 'b' && in_class) return one(U'\b');
    const bool octal = more() && peek() >= '0' && peek() <= '9';
    if (c == '0' && !octal) return one(0);
    if (c == 'x' || c == 'u') return read_code(c);
    if (std::string_view("\\^$.|?*+()[]{}-/\"'#&%,:;<=>@_`~! ").find(c) != std::string_view::npos)
      return one(static_cast<char32_t>(c));
    at_ -= 2;
    return refuse("an escape that all dialects have");
  }

  Result<ClassSet> read_code(char kind) {
    const size_t start = at_;
    const bool braces = kind == 'u' && take("{");
    const size_t wanted = kind == 'x' ? 2 : 4;
    char32_t code = 0;
    size_t digits = 0;
    for (; more() && digits < (braces ? 6 : wanted); ++digits, ++at_) {
      const char c = static_cast<char>(peek() | 0x20);
      if (!((peek() >= '0' && peek() <= '9') || (c >= 'a' && c <= 'f'))) break;
      code = code * 16 + static_cast<char32_t>(peek() <= '9' ? peek() - '0' : c - 'a' + 10);
    }
    const bool whole = braces ? digits > 0 && take("}") : digits == wanted;
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (whole && code <= 0x10ffff && !surrogate) return ClassSet::exactly(CodeSet(code, code));
    at_ = start;
    return refuse(surrogate ? "a character that is no surrogate" : "hexadecimal digits of a character",
                  surrogate ? ErrorKind::kUnsupported : ErrorKind::kInvalid);
  }

  Status read_class(CodeSet& set) {
    const bool negated = take("^");
    if (more() && peek() == ']') return refuse("a class that is not empty");
    ClassSet all;
    while (more() && peek() != ']') {
      auto item = read_class_item();
      if (!item.ok()) return item.error();
      // A '-' between two single characters is a range; at an end of the class it is itself.
      if (at_ + 1 < text_.size() && peek() == '-' && text_[at_ + 1] != ']') {
        ++at_;
        const auto last = read_class_item();
        if (!last.ok()) return last.error();
        if (!is_single(*item) || !is_single(*last)) return refuse("a range of two characters");
        const char32_t from = item->sure.ranges()[0].first, to = last->sure.ranges()[0].first;
        if (from > to) return refuse("a range that rises", ErrorKind::kInvalid);
        item = ClassSet::exactly(CodeSet(from, to));
      }
      all.add(*item);
    }
    if (!take("]")) return refuse("a closing ]", ErrorKind::kInvalid);
    set = negated ? (~all).sure : all.sure;
    return Done{};
  }
  static bool is_single(const ClassSet& item) {
    const auto& ranges = item.maybe.ranges();
    return ranges.size() == 1 && ranges[0].first == ranges[0].last;
  }
  Result<ClassSet> read_class_item() {
    if (!more()) return refuse("a closing ]", ErrorKind::kInvalid);
    if (peek() == '\\') return read_escape(true);
    if (peek() == '[') return refuse("\\[ for a bracket in a class");
    CodeSet set;
    if (auto status = read_character(set); !status.ok()) return status.error();
    return ClassSet::exactly(set);
  }

  Status read_quantifier(PatternPart& part) {
    if (take("*")) {
      part.least = 0, part.most = kNoLimit;
    } else if (take("+")) {
      part.most = kNoLimit;
    } else if (take("?")) {
      part.least = 0;
    } else if (take("{")) {
      if (auto status = read_times(part); !status.ok()) return status.error();
    } else {
      return Done{};
    }
    take("?");  // lazy: what matches is the same
    if (more() && std::string_view("*+?{").find(peek()) != std::string_view::npos)
      return refuse("one quantifier");
    return Done{};
  }
  Status read_times(PatternPart& part) {
    const auto count_wanted = [&] {
      const bool large = more() && peek() >= '0' && peek() <= '9';
      return refuse("a count of at most " + std::to_string(kMaxTimes),
                    large ? ErrorKind::kTooLarge : ErrorKind::kUnsupported);
    };
    if (!read_count(part.least)) return count_wanted();
    part.most = part.least;
    if (take(",")) {
      part.most = kNoLimit;
      if (more() && peek() != '}' && !read_count(part.most)) return count_wanted();
    }
    if (!take("}")) return refuse("a closing }", ErrorKind::kInvalid);
    if (part.least > part.most) return refuse("counts that rise", ErrorKind::kInvalid);
    return Done{};
  }
  bool read_count(uint32_t& count) {
    const size_t start = at_;
    for (count = 0; more() && peek() >= '0' && peek() <= '9'; ++at_) {
      count = count * 10 + static_cast<uint32_t>(peek() - '0');
      if (count <= kMaxTimes) continue;
      at_ = start;
      return false;
    }
    return at_ > start;
  }

  std::string_view text_;
  const std::string& where_;
  size_t at_ = 0;
};

}  // namespace

Result<Pattern> read_pattern(std::string_view pattern, const std::string& where) {
  return PatternReader(pattern, where).read();
}

}  // namespace ink
