// See text/chat_python.h. Easy to get wrong: repr() prefers single quotes and changes to double quotes only
// when the text has an apostrophe and no quotation mark; it escapes what Unicode calls unprintable (also the
// no-break space), where tojson escapes nothing of that.
#include "text/chat_python.h"

#include <utf8proc.h>

#include <cstdio>

#include "base/utf8.h"

namespace ink {
namespace {

bool is_python_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

bool is_printable(char32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    case UTF8PROC_CATEGORY_ZS:
      return c == ' ';
    default:
      return true;
  }
}

void append_escape(std::string& out, char32_t c) {
  char escape[16];
  const char* form = c < 0x100 ? "\\x%02x" : (c < 0x10000 ? "\\u%04x" : "\\U%08x");
  std::snprintf(escape, sizeof escape, form, static_cast<unsigned>(c));
  out += escape;
}

void append_quoted(std::string& out, const std::string& text) {
  const bool has_apostrophe = text.find('\'') != std::string::npos;
  const char quote = has_apostrophe && text.find('"') == std::string::npos ? '"' : '\'';
  out.push_back(quote);
  for (size_t i = 0; i < text.size();) {
    const Utf8Char next = decode_utf8(text, i);
    if (next.size_bytes == 0) {  // not UTF-8: cannot come from JSON, only from a caller; kept as it is
      out.push_back(text[i++]);
      continue;
    }
    const char32_t c = next.code_point;
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\\' || c == static_cast<unsigned char>(quote)) {
      out.push_back('\\');
      out.push_back(text[i]);
    } else if (is_printable(c)) {
      out.append(text, i, static_cast<size_t>(next.size_bytes));
    } else {
      append_escape(out, c);
    }
    i += static_cast<size_t>(next.size_bytes);
  }
  out.push_back(quote);
}

void append_repr(std::string& out, const Json& value) {
  if (value.is_string()) {
    append_quoted(out, value.get_ref<const std::string&>());
  } else if (value.is_structured()) {
    const bool object = value.is_object();
    out.push_back(object ? '{' : '[');
    bool first = true;
    for (const auto& item : value.items()) {
      if (!first) out += ", ";
      first = false;
      if (object) {
        append_quoted(out, item.key());
        out += ": ";
      }
      append_repr(out, item.value());
    }
    out.push_back(object ? '}' : ']');
  } else if (value.is_boolean()) {
    out += value.get<bool>() ? "True" : "False";
  } else if (value.is_null()) {
    out += "None";
  } else {
    out += python_json(value);
  }
}

Json part_source(const ContentPart& part) {
  if (!part.source.is_null()) return part.source;
  switch (part.kind) {
    case ContentPart::Kind::kImage:
      return Json::object({{"type", "image"}});
    case ContentPart::Kind::kVideo:
      return Json::object({{"type", "video"}});
    case ContentPart::Kind::kText:
      break;
  }
  return Json::object({{"type", "text"}, {"text", part.text}});
}

}  // namespace

std::string python_str(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  std::string out;
  append_repr(out, value);
  return out;
}

std::string python_str(const Json* value) { return value == nullptr ? std::string() : python_str(*value); }

std::string_view python_strip(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char first = decode_utf8(text, 0);
    if (first.size_bytes == 0 || !is_python_space(first.code_point)) break;
    text.remove_prefix(static_cast<size_t>(first.size_bytes));
  }
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80) --start;
    const Utf8Char last = decode_utf8(text, start);
    const bool whole = start + static_cast<size_t>(last.size_bytes) == text.size();
    if (!whole || !is_python_space(last.code_point)) break;
    text = text.substr(0, start);
  }
  return text;
}

std::string_view strip_leading_newlines(std::string_view text) {
  const size_t start = text.find_first_not_of('\n');
  return start == std::string_view::npos ? text.substr(text.size()) : text.substr(start);
}

std::string_view strip_trailing_newlines(std::string_view text) {
  const size_t last = text.find_last_not_of('\n');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view strip_newlines(std::string_view text) {
  return strip_trailing_newlines(strip_leading_newlines(text));
}

const std::string* content_text(const ChatMessage& message) {
  return std::get_if<std::string>(&message.content);
}

bool content_is_true(const ChatMessage& message) {
  if (const std::string* text = content_text(message)) return !text->empty();
  const auto* parts = std::get_if<std::vector<ContentPart>>(&message.content);
  return parts != nullptr && !parts->empty();
}

std::string python_content(const ChatMessage& message) {
  if (const std::string* text = content_text(message)) return *text;
  const auto* parts = std::get_if<std::vector<ContentPart>>(&message.content);
  if (parts == nullptr) return message.has_content ? "None" : "";
  Json list = Json::array();
  for (const ContentPart& part : *parts) list.push_back(part_source(part));
  return python_str(list);
}

}  // namespace ink
