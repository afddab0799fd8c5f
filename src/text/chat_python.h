// The few pieces of Python that show through the published templates: str() of a value, str.strip(), and a
// message's content as the template prints it. Byte-equal prompts need them; nothing else should.
#pragma once

#include <string>
#include <string_view>

#include "text/chat.h"

namespace ink {

// str(value): text as it is, True/False/None, Python's floats, and repr() of lists and dictionaries. No value
// (an undefined name in a template) is empty text.
std::string python_str(const Json& value);
std::string python_str(const Json* value);

// The part of `text` that str.strip() leaves: Unicode white space is taken off both ends.
std::string_view python_strip(std::string_view text);

// The part that .lstrip('\n'), .rstrip('\n') and .strip('\n') leave.
std::string_view strip_leading_newlines(std::string_view text);
std::string_view strip_trailing_newlines(std::string_view text);
std::string_view strip_newlines(std::string_view text);

// The content when it is one text, else nullptr.
const std::string* content_text(const ChatMessage& message);
// bool(content): text or parts that are not empty.
bool content_is_true(const ChatMessage& message);
// str(content), as {{ message.content }} prints it: "None" for null, repr() of parts.
std::string python_content(const ChatMessage& message);

}  // namespace ink
