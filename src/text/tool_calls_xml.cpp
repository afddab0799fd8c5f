// The XML dialect: <function=NAME>, any number of <parameter=P>\nVALUE\n</parameter>, </function>, between
// <tool_call> and </tool_call>. Values are raw text without any escaping, so only what follows a closing tag
// tells whether it is real:
//   </parameter>  is real when, after white space, <parameter=P> follows, or </function> and </tool_call> do;
//   </function>   right behind a value (its </parameter> was forgotten) is real when </tool_call> follows,
//   and
//                 then nothing but another call or the end of the turn.
// All else belongs to the value. One newline is taken off each end of a value. When a parameter comes twice,
// the last one wins. A value that contains the whole sequence </parameter></function></tool_call> cannot be
// told from the end of the call: the call ends there.
#include <algorithm>
#include <array>

#include "base/json_pointer.h"
#include "base/utf8.h"
#include "text/parameter_types.h"
#include "text/tool_calls_scan.h"

namespace ink {
namespace {

constexpr std::string_view kFunctionOpen = "<function=";
constexpr std::string_view kFunctionClose = "</function>";
constexpr std::string_view kParameterOpen = "<parameter=";
constexpr std::string_view kParameterClose = "</parameter>";

// White space between tags, and a name, may be this long; more is no call. Without a bound, an endless row of
// newlines would be read again with every token.
constexpr size_t kMaxGapBytes = 1024;

enum class Match { kNo, kPartial, kYes };

// Moves `at` behind white space and `tag` when both are there. kPartial: the text ends too early to tell.
Match match_tag(std::string_view body, size_t& at, std::string_view tag) {
  size_t start = body.find_first_not_of(" \t\r\n", at);
  if (start == std::string_view::npos) start = body.size();
  if (start - at > kMaxGapBytes) return Match::kNo;
  const std::string_view found = body.substr(start, tag.size());
  if (!tag.starts_with(found)) return Match::kNo;
  if (found.size() < tag.size()) return Match::kPartial;
  at = start + tag.size();
  return Match::kYes;
}

// The same for `tag` + NAME + ">". A name has no newline and no angle bracket.
Match match_named_tag(std::string_view body, size_t& at, std::string_view tag, std::string_view& name) {
  size_t start = at;
  if (const Match match = match_tag(body, start, tag); match != Match::kYes) return match;
  const size_t end = std::min(body.find_first_of("<>\n", start), body.size());
  if (end - start > kMaxGapBytes) return Match::kNo;
  if (end == body.size()) return Match::kPartial;
  if (body[end] != '>' || end == start) return Match::kNo;
  name = body.substr(start, end - start);
  at = end + 1;
  return Match::kYes;
}

// Whether the </parameter> that ends at `at` is real.
Match parameter_closes(std::string_view body, size_t at) {
  std::string_view name;
  const Match next = match_named_tag(body, at, kParameterOpen, name);
  if (next == Match::kYes) return Match::kYes;
  Match last = match_tag(body, at, kFunctionClose);
  if (last == Match::kYes) last = match_tag(body, at, kToolCallClose);
  return next == Match::kPartial && last == Match::kNo ? Match::kPartial : last;
}

// Whether the </function> that ends at `at`, inside a value, is real.
Match function_closes(std::string_view body, size_t at, bool at_end) {
  if (const Match match = match_tag(body, at, kToolCallClose); match != Match::kYes) return match;
  if (at_end && body.find_first_not_of(" \t\r\n", at) == std::string_view::npos) return Match::kYes;
  return match_tag(body, at, kToolCallOpen);
}

std::string_view without_outer_newlines(std::string_view value) {
  if (value.starts_with('\n')) value.remove_prefix(1);
  if (value.ends_with('\n')) value.remove_suffix(1);
  return value;
}

bool type_fits(const Json& value, const std::string& type) {
  return (type == "integer" && value.is_number()) || (type == "number" && value.is_number()) ||
         (type == "boolean" && value.is_boolean()) || (type == "null" && value.is_null()) ||
         (type == "object" && value.is_object()) || (type == "array" && value.is_array());
}

// The declared parameters of a tool.
const Json* find_parameters(std::span<const Json> tools, std::string_view function) {
  for (const Json& declaration : tools) {
    const Json* wrapped = find_member(declaration, "function");
    const Json& tool = wrapped == nullptr ? declaration : *wrapped;
    const Json* name = find_member(tool, "name");
    if (name != nullptr && name->is_string() && name->get_ref<const std::string&>() == function)
      return find_member(tool, "parameters");
  }
  return nullptr;
}

// The value that a raw text stands for: JSON (or Python's True, False, None, as the templates print them)
// where the types ask for something else than text, and the text as it is where no type is known or the text
// does not fit any.
Json typed_parameter(const std::string& raw, const std::vector<std::string>& types) {
  const auto allows = [&](const char* type) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  // A text that may also be null: only the bare word is null.
  if (allows("null") && (raw == "null" || raw == "None")) return nullptr;
  if (types.empty() || allows("string")) return raw;
  if (allows("boolean") && (raw == "True" || raw == "False")) return raw == "True";
  Result<Json> parsed = parse_json(raw, "parameter");
  if (!parsed) return raw;
  const bool fits = std::any_of(types.begin(), types.end(),
                                [&](const std::string& type) { return type_fits(*parsed, type); });
  return fits ? std::move(*parsed) : Json(raw);
}

}  // namespace

ScanResult XmlScanner::scan(std::string_view body, bool at_end, std::span<const Json> tools) {
  for (;;) {
    switch (scan_phase(body, at_end)) {
      case ScanResult::Kind::kMore:
        return {};
      case ScanResult::Kind::kText:
        return {ScanResult::Kind::kText, 0, {}};
      case ScanResult::Kind::kCall:
        if (phase_ == Phase::kClose) return finished(body, tools);
    }
  }
}

// One step; kCall means that the phase is done and the next one may start.
ScanResult::Kind XmlScanner::scan_phase(std::string_view body, bool at_end) {
  switch (phase_) {
    case Phase::kFunction:
      return scan_function(body);
    case Phase::kParameter:
      return scan_parameter(body);
    case Phase::kValue:
      return scan_value(body, at_end);
    case Phase::kClose:
      break;
  }
  return ScanResult::Kind::kCall;
}

ScanResult::Kind XmlScanner::scan_function(std::string_view body) {
  std::string_view name;
  const Match match = match_named_tag(body, read_, kFunctionOpen, name);
  if (match != Match::kYes) return match == Match::kNo ? ScanResult::Kind::kText : ScanResult::Kind::kMore;
  name_ = name;
  phase_ = Phase::kParameter;
  return ScanResult::Kind::kCall;
}

ScanResult::Kind XmlScanner::scan_parameter(std::string_view body) {
  std::string_view name;
  const Match open = match_named_tag(body, read_, kParameterOpen, name);
  if (open == Match::kYes) {
    parameters_.emplace_back(name, "");
    value_start_ = read_;
    phase_ = Phase::kValue;
    return ScanResult::Kind::kCall;
  }
  size_t at = read_;
  Match close = match_tag(body, at, kFunctionClose);
  if (close == Match::kYes) close = match_tag(body, at, kToolCallClose);
  if (close == Match::kYes) {
    read_ = at;
    phase_ = Phase::kClose;
    return ScanResult::Kind::kCall;
  }
  const bool undecided = open == Match::kPartial || close == Match::kPartial;
  return undecided ? ScanResult::Kind::kMore : ScanResult::Kind::kText;
}

ScanResult::Kind XmlScanner::scan_value(std::string_view body, bool at_end) {
  for (;;) {
    const size_t tag = body.find("</", read_);
    if (tag == std::string_view::npos) {
      read_ = std::max(read_, body.size() - 1);  // a last "<" may be the start of a tag
      return ScanResult::Kind::kMore;
    }
    read_ = tag;
    size_t behind = tag;
    Match parameter = match_tag(body, behind, kParameterClose);
    if (parameter == Match::kYes) parameter = parameter_closes(body, behind);
    size_t behind_function = tag;
    Match function = match_tag(body, behind_function, kFunctionClose);
    if (function == Match::kYes) function = function_closes(body, behind_function, at_end);
    if (parameter == Match::kYes || function == Match::kYes) {
      parameters_.back().second = without_outer_newlines(body.substr(value_start_, tag - value_start_));
      read_ = parameter == Match::kYes ? behind : tag;
      phase_ = Phase::kParameter;
      return ScanResult::Kind::kCall;
    }
    if (!at_end && (parameter == Match::kPartial || function == Match::kPartial))
      return ScanResult::Kind::kMore;
    read_ = tag + 2;
  }
}

ScanResult XmlScanner::finished(std::string_view body, std::span<const Json> tools) const {
  ScanResult result{ScanResult::Kind::kCall, read_, {}};
  if (find_invalid_utf8(body.substr(0, read_))) {  // JSON has no place for such bytes
    result.kind = ScanResult::Kind::kText;
    return result;
  }
  result.call.name = name_;
  result.call.arguments = Json::object();
  const Json* declared = find_parameters(tools, name_);
  for (const auto& [name, raw] : parameters_) {
    const auto types = declared == nullptr ? std::vector<std::string>() : parameter_types(*declared, name);
    result.call.arguments[name] = typed_parameter(raw, types);
  }
  return result;
}

}  // namespace ink
