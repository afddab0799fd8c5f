// Numbers, words and flags from a JSON object that somebody else wrote. A value of another kind than asked
// for is remembered as the problem, and the fallback taken, so that a reader can ask for everything and check
// once.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>

#include "base/json.h"

namespace ink {

class JsonNumbers {
 public:
  explicit JsonNumbers(const Json& object) : object_(object) {}

  // Each by the first of the names that is there and not null.
  int64_t integer(std::initializer_list<const char*> names, int64_t fallback) {
    const Json* value = find(names);
    if (value == nullptr) return fallback;
    constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (value->is_number_integer() && !(value->is_number_unsigned() && value->get<uint64_t>() > kMost)) {
      return value->get<int64_t>();
    }
    return wrong(names, "an integer", fallback);
  }
  double number(std::initializer_list<const char*> names, double fallback) {
    const Json* value = find(names);
    if (value == nullptr) return fallback;
    return value->is_number() ? value->get<double>() : wrong(names, "a number", fallback);
  }
  bool boolean(const char* name, bool fallback) const {
    const Json* value = find({name});
    return value != nullptr && value->is_boolean() ? value->get<bool>() : fallback;
  }
  std::string text(std::initializer_list<const char*> names, const std::string& fallback = "") const {
    const Json* value = find(names);
    return value != nullptr && value->is_string() ? value->get<std::string>() : fallback;
  }
  // Null when none of the names is there.
  const Json* find(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      const auto place = object_.find(name);
      if (place != object_.end() && !place->is_null()) return &*place;
    }
    return nullptr;
  }
  const std::string& problem() const { return problem_; }  // the first one; empty when all was well

 private:
  template <typename T>
  T wrong(std::initializer_list<const char*> names, const char* wanted, T fallback) {
    if (problem_.empty()) problem_ = std::string(*names.begin()) + " is not " + wanted;
    return fallback;
  }

  const Json& object_;
  std::string problem_;
};

}  // namespace ink
