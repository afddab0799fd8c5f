// Reads the fields of a JSON object that a client sent: each with its type and its range, every mistake with
// the name of the field. The first mistake is kept and nothing is read after it, so that a reader of a
// request is a list of lines and one look at error() at its end. What is null counts as not given, as clients
// mean it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ink::wire {

// "a JSON string 'abc'", "-3", "a JSON array": what was found instead, never long.
std::string describe(const Json& value);

Error wrong(std::string where, std::string wanted, const Json& got);
Error not_supported(std::string where, std::string what, std::string advice = "");

class Fields {
 public:
  // `object` has to outlive this. where: "" for the body itself, else "options", "messages[2]", …
  Fields(const Json& object, std::string where);

  bool ok() const { return !error_; }
  const Error& error() const { return *error_; }
  void fail(Error error);  // keeps the first

  std::string place(std::string_view key) const;
  const Json* given(const char* key) const;  // there and not null; null after a mistake
  const Json* object(const char* key);       // given, and an object
  const Json* array(const char* key);
  const Json& needed(const char* key, const char* wanted);  // missing: a mistake, and null

  void text(const char* key, std::string& out);
  void flag(const char* key, bool& out);
  void flag(const char* key, std::optional<bool>& out);
  void number(const char* key, float least, float most, std::optional<float>& out);
  void integer(const char* key, int64_t least, int64_t most, int64_t& out);
  void integer(const char* key, int64_t least, int64_t most, std::optional<int64_t>& out);
  void seed(const char* key, std::optional<uint64_t>& out);            // any integer of 64 bits
  void texts(const char* key, std::vector<std::string>& out);          // one text or several, as "stop"
  void refuse(const char* key, const char* what, const char* advice);  // a mistake when it says anything

 private:
  std::optional<int64_t> whole_number(const char* key, int64_t least, int64_t most);
  const Json& object_;
  std::string where_;
  std::optional<Error> error_;
};

// Whether a value asks for something: not null, false, "", [], {} or 0.
bool says_something(const Json& value);

// Ollama's "5m", "1h30m", "-1", a number of seconds; negative: for good.
std::optional<std::chrono::milliseconds> parse_duration(const Json& value);
void read_keep_alive(Fields& fields, std::optional<std::chrono::milliseconds>& out);

}  // namespace ink::wire
