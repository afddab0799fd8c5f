// Scanners for one tool call in a stream of text, after its <tool_call>: HermesScanner for JSON, XmlScanner
// for <function=…>. They remember how far they have read, so that a long argument that arrives token by token
// is read once, and they decide by text that can no longer change, so that the cuts of the stream do not
// matter.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "text/chat.h"

namespace ink {

inline constexpr std::string_view kToolCallOpen = "<tool_call>";
inline constexpr std::string_view kToolCallClose = "</tool_call>";

struct ScanResult {
  enum class Kind {
    kMore,  // not decided: come again with more text
    kCall,  // `call` is complete; `size` bytes belong to it, </tool_call> included
    kText,  // no call: the first `size` bytes are text for certain, and what follows is to be read anew
  } kind = Kind::kMore;
  size_t size = 0;
  ToolCall call;
};

// Follows the structure of one JSON object byte by byte. Strict about what may stand where, so that text that
// only looks like a call is given up at once; spelling of numbers and escapes is left to parse_json.
class JsonObjectScanner {
 public:
  enum class Step { kMore, kDone, kError };
  Step feed(char c);

 private:
  enum class Expect { kObject, kValue, kValueOrEnd, kKey, kKeyOrEnd, kColon, kCommaOrEnd };
  Step feed_structure(char c);
  Step close(char bracket);
  Expect expect_ = Expect::kObject;
  std::string open_;  // the brackets that are open
  bool in_string_ = false;
  bool string_is_key_ = false;
  bool escaped_ = false;
  bool in_scalar_ = false;  // a number or a word
};

class HermesScanner {
 public:
  // `body` is the text after <tool_call>, each time from its beginning and at least as long as before. The
  // scanner may not be used again once it has decided.
  ScanResult scan(std::string_view body);

 private:
  JsonObjectScanner json_;
  size_t read_ = 0;
  size_t json_start_ = 0;
  size_t json_end_ = 0;  // 0 until the object is complete
};

class XmlScanner {
 public:
  // As above. `at_end`: nothing follows `body`. Values are typed by the declarations in `tools`: JSON where
  // the types of a parameter (text/parameter_types.h) ask for something else than text, else the text as it
  // is.
  ScanResult scan(std::string_view body, bool at_end, std::span<const Json> tools);

 private:
  enum class Phase { kFunction, kParameter, kValue, kClose };
  ScanResult::Kind scan_phase(std::string_view body, bool at_end);
  ScanResult::Kind scan_function(std::string_view body);
  ScanResult::Kind scan_parameter(std::string_view body);
  ScanResult::Kind scan_value(std::string_view body, bool at_end);
  ScanResult finished(std::string_view body, std::span<const Json> tools) const;

  Phase phase_ = Phase::kFunction;
  size_t read_ = 0;
  size_t value_start_ = 0;
  std::string name_;
  std::vector<std::pair<std::string, std::string>> parameters_;
};

using CallScanner = std::variant<HermesScanner, XmlScanner>;

}  // namespace ink
