// See grammar_text_tokens.h.
#include "runtime/grammar_text_tokens.h"

#include <bitset>
#include <string_view>

#include "base/utf8.h"

namespace ink {
namespace {

struct TextForm {
  size_t characters = 0;
  bool ascii = true;
  bool plain = true;
};

TextForm text_form(std::string_view bytes) {
  TextForm form;
  for (size_t at = 0; at < bytes.size();) {
    const Utf8Char character = decode_utf8(bytes, at);
    const char32_t code = character.code_point;
    if (character.size_bytes == 0 || (code >= 0x80 && code < 0xa0) || code == 0x2028 || code == 0x2029) {
      form.plain = false;
      return form;
    }
    form.ascii = form.ascii && code < 0x80;
    ++form.characters;
    at += static_cast<size_t>(character.size_bytes);
  }
  form.plain = form.characters <= TextTokens::kMostCharacters;
  return form;
}

}  // namespace

TextTokens::TextTokens(const Tokenizer& tokenizer, const std::vector<int32_t>& tokens)
    : with_(128), masks_with_(128) {
  const int32_t size = tokenizer.vocabulary_size();
  plain_.assign(kMostCharacters + 1, TokenMask(size));
  ascii_ = plain_;
  for (const int32_t id : tokens) {
    const std::string_view bytes = tokenizer.token_bytes(id);
    std::bitset<128> seen;
    for (const char c : bytes) {
      if (static_cast<unsigned char>(c) < 0x80) seen.set(static_cast<size_t>(c));
    }
    for (size_t byte = 0; byte < 128; ++byte) {
      if (!seen[byte]) continue;
      if (with_[byte].empty()) masks_with_[byte] = TokenMask(size);
      with_[byte].push_back(id);
      masks_with_[byte].set(id, true);
    }
    const TextForm form = text_form(bytes);
    if (!form.plain) {
      others_.push_back(id);
      continue;
    }
    for (size_t count = form.characters; count <= kMostCharacters; ++count) {
      plain_[count].set(id, true);
      if (form.ascii) ascii_[count].set(id, true);
    }
  }
}

}  // namespace ink
