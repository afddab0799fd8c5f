// See base/json.h.
#include "base/json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/utf8.h"

namespace ink {
namespace {

// What the text would cost to hold, told before it is parsed: nlohmann's parser keeps its own stack, but
// destroying and printing a value recurse, and an ordered object finds a key by walking over all of them.
// Empty when it is fine.
std::string too_costly(std::string_view text) {
  std::array<int, kMaxJsonDepth + 1> keys{};  // of the object that is open on each level
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxJsonDepth) return "at most " + std::to_string(kMaxJsonDepth) + " levels of nesting";
      keys[static_cast<size_t>(depth)] = 0;
    } else if (c == '}' || c == ']') {
      if (depth > 0) --depth;
    } else if (c == ':' && ++keys[static_cast<size_t>(depth)] > kMaxJsonKeys) {
      return "at most " + std::to_string(kMaxJsonKeys) + " keys in an object";
    }
  }
  return "";
}

// Python's repr of a float: the shortest digits that read back the same, exponent form outside 1e-4..1e16.
void append_float(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "NaN" : (value > 0 ? "Infinity" : "-Infinity");
    return;
  }
  char digits[40];
  const auto end =
      std::to_chars(digits, digits + sizeof digits - 1, value, std::chars_format::scientific).ptr;
  *end = '\0';
  const std::string text = digits;
  const size_t mark = text.find('e');
  const int exponent = std::atoi(text.c_str() + mark + 1);
  if (exponent < -4 || exponent >= 16) {
    std::string mantissa = text.substr(0, mark);
    char tail[16];
    std::snprintf(tail, sizeof tail, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    out += mantissa + tail;
    return;
  }
  const int significant =
      static_cast<int>(mark) - (text[0] == '-' ? 1 : 0) - (mark > 2 + (text[0] == '-') ? 1 : 0);
  const int decimals = std::max(1, significant - 1 - exponent);
  char fixed[64];
  std::snprintf(fixed, sizeof fixed, "%.*f", decimals, value);
  out += fixed;
}

void append_string(std::string& out, const std::string& text) {
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char escape[8];
          std::snprintf(escape, sizeof escape, "\\u%04x", c);
          out += escape;
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

void append_value(std::string& out, const Json& value) {
  if (value.is_object() || value.is_array()) {
    const bool object = value.is_object();
    out.push_back(object ? '{' : '[');
    bool first = true;
    for (const auto& item : value.items()) {
      if (!first) out += ", ";
      first = false;
      if (object) {
        append_string(out, item.key());
        out += ": ";
      }
      append_value(out, item.value());
    }
    out.push_back(object ? '}' : ']');
  } else if (value.is_string()) {
    append_string(out, value.get_ref<const std::string&>());
  } else if (value.is_number_float()) {
    append_float(out, value.get<double>());
  } else {
    out += value.dump();
  }
}

// Builds the value without exceptions and remembers where and near what it failed.
class JsonBuilder : public nlohmann::detail::json_sax_dom_parser<Json> {
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;

 public:
  explicit JsonBuilder(Json& target) : Base(target, false) {}
  template <class Exception>
  bool parse_error(std::size_t at, const std::string& token, const Exception& exception) {
    position = at;
    near = token;
    return Base::parse_error(at, token, exception);
  }
  std::size_t position = 0;
  std::string near;
};

}  // namespace

Result<Json> parse_json(std::string_view text, const std::string& where) {
  if (std::string wanted = too_costly(text); !wanted.empty()) {
    return Error{ErrorKind::kTooLarge, where, std::move(wanted), "more", ""};
  }
  Json root;
  JsonBuilder sax(root);
  if (!Json::sax_parse(text.begin(), text.end(), &sax)) {
    if (sax.near.size() > 40) sax.near = "..." + sax.near.substr(sax.near.size() - 40);
    return Error{ErrorKind::kInvalid, where, "valid JSON",
                 "an error at byte " + std::to_string(sax.position) + " near '" + sax.near + "'", ""};
  }
  return root;
}

std::string json_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_excerpt(const Json& value) {
  constexpr size_t kMostBytes = 60;
  return std::string(first_characters(json_text(value), kMostBytes));
}

std::string python_json(const Json& value) {
  std::string out;
  append_value(out, value);
  return out;
}

}  // namespace ink
