// See grammar_pattern.h. Read into a tree by recursive descent (groups nest at most kMaxGroupDepth deep),
// then built from the end to the beginning, where a quantifier repeats or loops its part.
#include "runtime/grammar_pattern.h"

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"

namespace ink {
namespace {

constexpr int kMaxGroupDepth = 16;
constexpr uint32_t kMaxTimes = 256;  // in {n,m}

struct Part;
using Sequence = std::vector<Part>;

// One item of a sequence: a set of ASCII characters, a longer character, or a group.
struct Part {
  enum class Kind { kSet, kCharacter, kGroup } kind = Kind::kSet;
  ByteSet set;
  std::string character;
  std::vector<Sequence> alternatives;
  uint32_t least = 1;
  uint32_t most = 1;
};

class PatternReader {
 public:
  PatternReader(std::string_view pattern, const std::string& where) : text_(pattern), where_(where) {}

  Result<Sequence> read() {
    if (!text_.starts_with('^') || !text_.ends_with('$') || text_.size() < 2 || ends_with_escaped_dollar())
      return refuse("a pattern anchored at both ends, ^…$");
    at_ = 1;
    text_.remove_suffix(1);
    std::vector<Sequence> alternatives;
    if (auto status = read_alternatives(alternatives, 0); !status.ok()) return status.error();
    if (at_ < text_.size()) return refuse("an opening bracket for it");
    // ^a|b$ means (^a)|(b$).
    if (alternatives.size() > 1) return refuse("brackets around alternatives, ^(a|b)$");
    return std::move(alternatives[0]);
  }

 private:
  bool ends_with_escaped_dollar() const {
    const size_t last = text_.substr(0, text_.size() - 1).find_last_not_of('\\');
    return (text_.size() - 2 - last) % 2 != 0;
  }
  Error refuse(const std::string& wanted, ErrorKind kind = ErrorKind::kUnsupported) const {
    const std::string got = at_ < text_.size() ? "'" + std::string(text_.substr(at_)) + "'" : "its end";
    return {kind, where_ + ": pattern, byte " + std::to_string(at_), wanted, got, ""};
  }
  bool more() const { return at_ < text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  Status read_alternatives(std::vector<Sequence>& alternatives, int depth) {
    if (depth > kMaxGroupDepth)
      return refuse("at most " + std::to_string(kMaxGroupDepth) + " groups in each other");
    do {
      Sequence sequence;
      while (more() && peek() != '|' && peek() != ')') {
        Part part;
        if (auto status = read_part(part, depth); !status.ok()) return status.error();
        if (auto status = read_quantifier(part); !status.ok()) return status.error();
        sequence.push_back(std::move(part));
      }
      alternatives.push_back(std::move(sequence));
    } while (take("|"));
    return Done{};
  }

  Status read_part(Part& part, int depth) {
    if (take("(")) {
      part.kind = Part::Kind::kGroup;
      if (!take("?:") && more() && peek() == '?') return refuse("a plain group");
      if (auto status = read_alternatives(part.alternatives, depth + 1); !status.ok()) return status.error();
      if (!take(")")) return refuse("a closing bracket", ErrorKind::kInvalid);
      return Done{};
    }
    if (take("[")) return read_class(part.set);
    if (peek() == '\\') return read_escape(part.set);
    constexpr std::string_view kSpecial = ".^$*+?{}";
    if (kSpecial.find(peek()) != std::string_view::npos) return refuse("a character, a class or a group");
    const Utf8Char character = decode_utf8(text_, at_);
    if (character.size_bytes == 0 || character.code_point < 0x20) return refuse("a printable character");
    part.kind = Part::Kind::kCharacter;
    part.character = text_.substr(at_, static_cast<size_t>(character.size_bytes));
    at_ += part.character.size();
    return Done{};
  }

  Status read_escape(ByteSet& set) {
    if (at_ + 1 == text_.size()) return refuse("a character after it", ErrorKind::kInvalid);
    const char c = text_[at_ + 1];
    if (c == 'd') {
      set |= byte_range('0', '9');
    } else if (c == 'w') {
      set |= byte_range('0', '9') | byte_range('a', 'z') | byte_range('A', 'Z') | bytes_of("_");
    } else if (std::string_view("\\^$.|?*+()[]{}-/\"").find(c) != std::string_view::npos) {
      set |= bytes_of({&c, 1});
    } else {
      return refuse("\\d, \\w or an escaped sign");
    }
    at_ += 2;
    return Done{};
  }

  Status read_class(ByteSet& set) {
    if (more() && (peek() == '^' || peek() == ']'))
      return refuse("a class that is neither negated nor empty");
    while (more() && peek() != ']') {
      ByteSet item;
      if (auto status = read_class_item(item); !status.ok()) return status.error();
      // A '-' between two single characters is a range; at an end of the class it is itself.
      if (at_ + 1 < text_.size() && peek() == '-' && text_[at_ + 1] != ']') {
        ++at_;
        ByteSet last;
        if (auto status = read_class_item(last); !status.ok()) return status.error();
        if (item.count() != 1 || last.count() != 1) return refuse("a range of two characters");
        const unsigned char low = only(item), high = only(last);
        if (low > high) return refuse("a range that rises", ErrorKind::kInvalid);
        item = byte_range(low, high);
      }
      set |= item;
    }
    if (!take("]")) return refuse("a closing ]", ErrorKind::kInvalid);
    return Done{};
  }
  Status read_class_item(ByteSet& item) {
    if (!more()) return refuse("a closing ]", ErrorKind::kInvalid);
    if (peek() == '\\') return read_escape(item);
    if (peek() < 0x20 || peek() > 0x7e || peek() == '[') return refuse("printable ASCII in a class");
    item = bytes_of(text_.substr(at_++, 1));
    return Done{};
  }
  static unsigned char only(const ByteSet& set) {
    unsigned byte = 0;
    while (!set[byte]) ++byte;
    return static_cast<unsigned char>(byte);
  }

  Status read_quantifier(Part& part) {
    if (take("*")) {
      part.least = 0;
      part.most = kNoLimit;
    } else if (take("+")) {
      part.most = kNoLimit;
    } else if (take("?")) {
      part.least = 0;
    } else if (take("{")) {
      if (auto status = read_times(part); !status.ok()) return status.error();
    } else {
      return Done{};
    }
    if (more() && std::string_view("*+?{").find(peek()) != std::string_view::npos)
      return refuse("one quantifier");
    return Done{};
  }
  Status read_times(Part& part) {
    if (!read_count(part.least)) return refuse("a count of at most " + std::to_string(kMaxTimes));
    part.most = part.least;
    if (take(",")) {
      part.most = kNoLimit;
      if (more() && peek() != '}' && !read_count(part.most))
        return refuse("a count of at most " + std::to_string(kMaxTimes));
    }
    if (!take("}")) return refuse("a closing }", ErrorKind::kInvalid);
    if (part.least > part.most) return refuse("counts that rise", ErrorKind::kInvalid);
    return Done{};
  }
  bool read_count(uint32_t& count) {
    const size_t start = at_;
    for (count = 0; more() && peek() >= '0' && peek() <= '9' && count <= kMaxTimes; ++at_)
      count = count * 10 + static_cast<uint32_t>(peek() - '0');
    return at_ > start && count <= kMaxTimes;
  }

  std::string_view text_;
  const std::string& where_;
  size_t at_ = 0;
};

// Characters are written as json.dumps writes them inside of a string.
std::string escaped(std::string_view character) {
  const std::string quoted = python_json(Json(std::string(character)));
  return quoted.substr(1, quoted.size() - 2);
}

uint32_t build(GrammarBuilder& builder, const Sequence& sequence, uint32_t next);

uint32_t build_once(GrammarBuilder& builder, const Part& part, uint32_t next) {
  if (part.kind == Part::Kind::kCharacter) return builder.text(escaped(part.character), next);
  if (part.kind == Part::Kind::kGroup) {
    uint32_t entry = build(builder, part.alternatives[0], next);
    for (size_t i = 1; i < part.alternatives.size(); ++i)
      entry = builder.either(entry, build(builder, part.alternatives[i], next));
    return entry;
  }
  uint32_t entry = builder.bytes(part.set & ~bytes_of("\"\\"), next);
  for (const char c : {'"', '\\'}) {
    if (part.set[static_cast<unsigned char>(c)])
      entry = builder.either(entry, builder.text(escaped({&c, 1}), next));
  }
  return entry;
}

uint32_t build_repeated(GrammarBuilder& builder, const Part& part, uint32_t next) {
  if (builder.full()) return 0;
  uint32_t entry = next;
  if (part.most == kNoLimit) {
    entry = builder.open_split();
    builder.connect(entry, build_once(builder, part, entry), next);
  } else {
    for (uint32_t i = part.least; i < part.most && !builder.full(); ++i)
      entry = builder.either(build_once(builder, part, entry), next);
  }
  for (uint32_t i = 0; i < part.least && !builder.full(); ++i) entry = build_once(builder, part, entry);
  return entry;
}

uint32_t build(GrammarBuilder& builder, const Sequence& sequence, uint32_t next) {
  for (size_t i = sequence.size(); i > 0; --i) next = build_repeated(builder, sequence[i - 1], next);
  return next;
}

}  // namespace

Result<uint32_t> add_pattern(GrammarBuilder& builder, std::string_view pattern, uint32_t next,
                             const std::string& where) {
  auto sequence = PatternReader(pattern, where).read();
  if (!sequence.ok()) return sequence.error();
  return build(builder, *sequence, next);
}

}  // namespace ink
