// See json_pointer.h.
#include "base/json_pointer.h"

#include <algorithm>

namespace ink {
namespace {

// One step of a JSON pointer: ~1 is /, ~0 is ~, and %XX any byte.
std::string unescaped(std::string_view step) {
  std::string text;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  const auto is_digit = [](char c) {
    return std::string_view("0123456789abcdefABCDEF").find(c) != std::string_view::npos;
  };
  for (size_t i = 0; i < step.size(); ++i) {
    if (step[i] == '%' && i + 2 < step.size() && is_digit(step[i + 1]) && is_digit(step[i + 2])) {
      text += static_cast<char>(digit(step[i + 1]) * 16 + digit(step[i + 2]));
      i += 2;
    } else {
      text += step[i];
    }
  }
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '~' && i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1');
    name += !escape ? text[i] : text[++i] == '0' ? '~' : '/';
  }
  return name;
}

}  // namespace

const Json* find_member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string(name));
  return found == object.end() ? nullptr : &*found;
}

std::string text_member(const Json& object, std::string_view name) {
  const Json* found = find_member(object, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : "";
}

const Json* find_pointed(const Json& root, std::string_view pointer) {
  const Json* at = &root;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // the slash
    const std::string name = unescaped(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(std::min(pointer.find('/'), pointer.size()));
    if (at->is_object()) {
      at = find_member(*at, name);
      if (at == nullptr) return nullptr;
    } else if (at->is_array() && !name.empty() && name.size() < 6 &&
               name.find_first_not_of("0123456789") == std::string::npos) {
      const auto index = static_cast<size_t>(std::stoul(name));
      if (index >= at->size()) return nullptr;
      at = &(*at)[index];
    } else {
      return nullptr;
    }
  }
  return at;
}

}  // namespace ink
