// See constraint_request.h.
#include "runtime/constraint_request.h"

#include "base/json.h"
#include "base/utf8.h"
#include "text/unicode.h"

namespace ink {
namespace {

bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_space(char32_t c) {
  const CharClass kind = UnicodeTable::get().char_class(c);
  return kind == CharClass::kSpace || kind == CharClass::kNewline;
}

// A character as json.dumps writes it inside of a string.
std::string escape(std::string_view character) {
  const std::string quoted = python_json(Json(std::string(character)));
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

RequestPieces::RequestPieces(std::string_view request) : places_(1) {
  for (size_t at = 0; at < request.size();) {
    const Utf8Char character = decode_utf8(request, at);
    const bool valid = character.size_bytes > 0;
    const size_t size = valid ? static_cast<size_t>(character.size_bytes) : 1;
    const auto joins = [&](size_t left) {  // the bytes before and at `left` are of one word
      return left > 0 && left < request.size() && is_word(request[left - 1]) && is_word(request[left]);
    };
    const bool inside = valid && !is_space(character.code_point);
    if (inside && !joins(at)) starts_.push_back(static_cast<uint32_t>(escaped_.size()));
    const std::string bytes = valid ? escape(request.substr(at, size)) : std::string(1, '\0');
    escaped_ += bytes;
    places_.resize(escaped_.size() + 1, {false, valid});
    places_[escaped_.size() - bytes.size()].goes_on = valid;
    places_.back().may_end = inside && !joins(at + size);
    at += size;
  }
  // From the end: a byte is only taken if behind it the piece may end, or goes on to where it may.
  places_.back().goes_on = false;
  for (size_t i = escaped_.size(); i > 0; --i) {
    const Place& behind = places_[i];
    places_[i - 1].goes_on = places_[i - 1].goes_on && (behind.may_end || behind.goes_on);
  }
}

}  // namespace ink
