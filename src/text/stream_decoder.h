// Ids to text while they are generated: never emits half a character. Bytes of an unfinished character are
// held back until they are whole; bytes that can never become a character turn into U+FFFD.
#pragma once

#include <cstdint>
#include <string>

#include "text/tokenizer.h"

namespace ink {

class StreamDecoder {
 public:
  StreamDecoder(const Tokenizer& tokenizer, bool skip_special)
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  // The text that became whole by this token; may be empty.
  std::string push(int32_t id);
  // What is still held back at the end, as U+FFFD.
  std::string finish();

 private:
  Tokenizer tokenizer_;
  bool skip_special_;
  std::string held_;  // at most three bytes of an unfinished character
};

}  // namespace ink
