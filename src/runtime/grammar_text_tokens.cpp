// See grammar_text_tokens.h.
#include "runtime/grammar_text_tokens.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/utf8.h"

namespace ink {
namespace {

// Bytes of ASCII that are in none of these are of one more kind.
constexpr std::string_view kKindsOfAscii[] = {"\"",
                                              "\\",
                                              "-",
                                              ".",
                                              "@",
                                              "_",
                                              "/",
                                              ":",
                                              "<",
                                              ">",
                                              "%",
                                              "#",
                                              "?",
                                              "&",
                                              "=",
                                              "+",
                                              ",",
                                              "'",
                                              " ",
                                              "\n",
                                              "\t\r",
                                              "0123456789",
                                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                                              "abcdefghijklmnopqrstuvwxyz",
                                              "!$*;~",
                                              "()",
                                              "[]",
                                              "{}",
                                              "^`|"};
constexpr size_t kControls = std::size(kKindsOfAscii), kAboveAscii = kControls + 1;
static_assert(kAboveAscii < 31, "the last bit is TextTokens::kOdd");

constexpr std::array<uint8_t, 128> kKindOfByte = [] {
  std::array<uint8_t, 128> kinds{};
  kinds.fill(kControls);
  for (size_t kind = 0; kind < kControls; ++kind) {
    for (const char c : kKindsOfAscii[kind]) kinds[static_cast<size_t>(c)] = static_cast<uint8_t>(kind);
  }
  return kinds;
}();

constexpr size_t kFewTokens = 1000;  // of a kind in a small vocabulary

constexpr TextTokens::Kinds one_kind(size_t kind) { return TextTokens::Kinds{1} << kind; }

struct TextForm {
  size_t characters = 0;
  TextTokens::Kinds kinds = 0;
};

TextForm text_form(std::string_view token) {
  TextForm form;
  for (size_t at = 0; at < token.size(); ++form.characters) {
    const Utf8Char character = decode_utf8(token, at);
    const char32_t code = character.code_point;
    if (character.size_bytes == 0 || (code >= 0x80 && code < 0xa0) || code == 0x2028 || code == 0x2029)
      return {0, TextTokens::kOdd};
    form.kinds |= one_kind(code < 0x80 ? kKindOfByte[code] : kAboveAscii);
    at += static_cast<size_t>(character.size_bytes);
  }
  return form.characters <= TextTokens::kMostCharacters ? form : TextForm{0, TextTokens::kOdd};
}

}  // namespace

TextTokens::Kinds TextTokens::kinds_of(const ByteSet& ascii) {
  Kinds kinds = 0;
  for (size_t byte = 0; byte < kKindOfByte.size(); ++byte)
    kinds |= ascii[byte] ? one_kind(kKindOfByte[byte]) : 0;
  return kinds;
}

ByteSet TextTokens::ascii_of(Kinds kinds) {
  ByteSet ascii;
  for (size_t byte = 0; byte < kKindOfByte.size(); ++byte)
    ascii[byte] = (kinds & one_kind(kKindOfByte[byte])) != 0;
  return ascii;
}

TextTokens::TextTokens(const Tokenizer& tokenizer, const std::vector<int32_t>& sorted)
    : with_(kKindOfByte.size()), with_kind_(kKinds) {
  const int32_t size = tokenizer.vocabulary_size();
  const auto add = [&](TokenMask& mask, int32_t id) {
    if (mask.vocabulary_size() == 0) mask = TokenMask(size);
    mask.set(id, true);
  };
  std::vector<std::vector<int32_t>> of_kind(kKinds);
  plain_.assign(kMostCharacters + 1, TokenMask(size));
  ascii_ = plain_;
  kinds_.reserve(sorted.size());
  for (const int32_t id : sorted) {
    const std::string_view bytes = tokenizer.token_bytes(id);
    const TextForm form = text_form(bytes);
    kinds_.push_back(form.kinds);
    for (Kinds rest = form.kinds; rest != 0; rest &= rest - 1)
      of_kind[static_cast<size_t>(std::countr_zero(rest))].push_back(id);
    if ((form.kinds & kOdd) != 0) continue;
    for (const char c : bytes) {
      if (static_cast<uint8_t>(c) < 0x80) add(with_[static_cast<uint8_t>(c)], id);
    }
    for (Kinds rest = form.kinds; rest != 0; rest &= rest - 1)
      add(with_kind_[static_cast<size_t>(std::countr_zero(rest))], id);
    for (size_t count = form.characters; count <= kMostCharacters; ++count) {
      plain_[count].set(id, true);
      if ((form.kinds & one_kind(kAboveAscii)) == 0) ascii_[count].set(id, true);
    }
  }
  for (size_t kind = 0; kind < kKinds; ++kind) {
    const bool few = of_kind[kind].size() <= std::max(sorted.size() / 8, kFewTokens);
    if (!few) frequent_ |= one_kind(kind);
    trees_.push_back(few ? std::make_unique<ByteTree>(tokenizer, std::move(of_kind[kind])) : nullptr);
  }
}

void TextTokens::allow(const ByteSet& ascii, bool ascii_alone, size_t characters, TokenMask& mask) const {
  mask = (ascii_alone ? ascii_ : plain_)[characters];
  // Whole kinds at once: a mask less is half a microsecond less.
  const Kinds some = kinds_of(ascii), some_not = kinds_of(~ascii);
  for (size_t kind = 0; kind < kAboveAscii; ++kind) {
    if ((some & one_kind(kind)) == 0) mask.remove(with_kind_[kind]);
  }
  for (size_t byte = 0; byte < kKindOfByte.size(); ++byte) {
    if (!ascii[byte] && (some & some_not & one_kind(kKindOfByte[byte])) != 0) mask.remove(with_[byte]);
  }
}

}  // namespace ink
