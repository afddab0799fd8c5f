// See text/stream_decoder.h.
#include "text/stream_decoder.h"

#include <string_view>
#include <utility>

#include "base/utf8.h"

namespace ink {
namespace {

constexpr std::string_view kReplacement = "\ufffd";

// How many of the invalid bytes at `position` one replacement character stands for: the longest beginning of
// a character that is there, at least one byte (Unicode's practice, and the reference's).
size_t invalid_length(std::string_view text, size_t position) {
  for (size_t length = 3; length > 1; --length) {
    const std::string_view piece = text.substr(position, length);
    if (piece.size() == length && whole_characters(piece) == 0) return length;
  }
  return 1;
}

}  // namespace

std::string StreamDecoder::push(int32_t id) {
  if (skip_special_ && tokenizer_.is_special(id)) return {};
  held_ += tokenizer_.token_bytes(id);
  const size_t whole = whole_characters(held_);
  const std::string_view ready = std::string_view(held_).substr(0, whole);
  std::string text;
  for (size_t position = 0; position < ready.size();) {
    const auto size = static_cast<size_t>(decode_utf8(ready, position).size_bytes);
    text += size > 0 ? ready.substr(position, size) : kReplacement;
    position += size > 0 ? size : invalid_length(ready, position);
  }
  held_.erase(0, whole);
  return text;
}

std::string StreamDecoder::finish() {
  const bool unfinished = !std::exchange(held_, {}).empty();
  return std::string(unfinished ? kReplacement : std::string_view());
}

}  // namespace ink
