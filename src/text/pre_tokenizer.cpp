// See text/pre_tokenizer.h. The alternatives of the expressions are tried in their order, each with the
// result that a backtracking matcher would give:
//   (?i:'s|'t|'re|'ve|'m|'ll|'d)        contractions; (?i) also lets U+017F (long s) stand for s
//   [^\r\n\p{L}\p{N}]?\p{L}+            letters, with one leading character that is no letter, number or line
//   end \p{N}                               one digit
//   ?[^\s\p{L}\p{N}]+[\r\n]*            symbols, with a leading space and trailing line ends
//   \s*[\r\n]+                          blank up to the last line end of the run
//   \s+(?!\S)                           blank; before other text its last character is left to the next word
//   \s+
// kQwen35 counts marks as letters, except that a mark may still be the leading character: the same words.
#include "text/pre_tokenizer.h"

namespace ink {
namespace {

constexpr std::string_view kPatternQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kPatternQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// One scan over one text. kMarks: marks count as letters.
template <bool kMarks>
class Scanner {
 public:
  Scanner(const UnicodeTable& table, std::string_view text) : table_(table), text_(text) {}

  size_t word_end(size_t start) const {
    const Char first = at(start);
    const size_t next = start + first.size_bytes;
    if (is_letter(first)) return letters_end(next);
    if (first.char_class == CharClass::kNumber) return next;
    if (text_[start] == '\'') {
      if (const size_t end = contraction_end(next); end != 0) return end;
    }
    if (next < text_.size() && first.char_class != CharClass::kNewline) {
      const Char second = at(next);
      if (is_letter(second)) return letters_end(next + second.size_bytes);
      if (text_[start] == ' ' && is_symbol(second)) return symbols_end(next + second.size_bytes);
    }
    return is_symbol(first) ? symbols_end(next) : blank_end(start);
  }

 private:
  struct Char {
    CharClass char_class;
    size_t size_bytes;
  };

  Char at(size_t position) const {
    const Utf8Char c = next_char(text_, position);
    if (c.size_bytes == 0) return {CharClass::kOther, 1};
    return {table_.char_class(c.code_point), static_cast<size_t>(c.size_bytes)};
  }
  static bool is_letter(Char c) {
    return c.char_class == CharClass::kLetter || (kMarks && c.char_class == CharClass::kMark);
  }
  static bool is_symbol(Char c) {
    return c.char_class == CharClass::kOther || (!kMarks && c.char_class == CharClass::kMark);
  }
  static bool is_blank(Char c) {
    return c.char_class == CharClass::kSpace || c.char_class == CharClass::kNewline;
  }

  template <typename Wanted>
  size_t run_end(size_t position, Wanted wanted) const {
    while (position < text_.size()) {
      const Char c = at(position);
      if (!wanted(c)) break;
      position += c.size_bytes;
    }
    return position;
  }
  size_t letters_end(size_t position) const { return run_end(position, is_letter); }
  size_t symbols_end(size_t position) const {
    position = run_end(position, is_symbol);
    return run_end(position, [](Char c) { return c.char_class == CharClass::kNewline; });
  }

  // The end of a contraction whose apostrophe stands before `position`, or 0.
  size_t contraction_end(size_t position) const {
    const auto letter = [&](size_t i) -> char {  // ASCII letters in lower case, others as they are
      if (i >= text_.size()) return '\0';
      const char c = text_[i];
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    const char first = letter(position);
    const char second = letter(position + 1);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return position + 1;
    if ((first == 'r' || first == 'v') && second == 'e') return position + 2;
    if (first == 'l' && second == 'l') return position + 2;
    if (text_.substr(position, 2) == "\u017f") return position + 2;
    return 0;
  }

  size_t blank_end(size_t start) const {
    size_t last = start;        // start of the run's last character
    size_t after_line_end = 0;  // behind the run's last line end
    size_t position = start;
    while (position < text_.size()) {
      const Char c = at(position);
      if (!is_blank(c)) break;
      last = position;
      position += c.size_bytes;
      if (c.char_class == CharClass::kNewline) after_line_end = position;
    }
    if (after_line_end != 0) return after_line_end;
    return position < text_.size() && last > start ? last : position;
  }

  const UnicodeTable& table_;
  std::string_view text_;
};

}  // namespace

std::string_view pre_tokenizer_pattern(PreTokenizer pre) {
  return pre == PreTokenizer::kQwen2 ? kPatternQwen2 : kPatternQwen35;
}

std::optional<PreTokenizer> find_pre_tokenizer(std::string_view pattern) {
  for (const auto pre : {PreTokenizer::kQwen2, PreTokenizer::kQwen35}) {
    if (pattern == pre_tokenizer_pattern(pre)) return pre;
  }
  return std::nullopt;
}

size_t word_end(PreTokenizer pre, const UnicodeTable& table, std::string_view text, size_t start) {
  if (pre == PreTokenizer::kQwen2) return Scanner<false>(table, text).word_end(start);
  return Scanner<true>(table, text).word_end(start);
}

}  // namespace ink
