// The Hermes dialect: {"name": …, "arguments": {…}} between <tool_call> and </tool_call>. The structure of
// the JSON, and not the next tag, tells where the call ends. `arguments` may be missing (a call without any),
// or a text that holds an object. Anything else is no call.
#include "text/tool_calls_scan.h"

namespace ink {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_scalar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
}

bool read_call(std::string_view json, ToolCall& call) {
  Result<Json> parsed = parse_json(json, "tool call");
  if (!parsed) return false;
  const auto name = parsed->find("name");
  if (name == parsed->end() || !name->is_string() || name->get_ref<const std::string&>().empty())
    return false;
  const auto arguments = parsed->find("arguments");
  Json value = arguments == parsed->end() || arguments->is_null() ? Json::object() : std::move(*arguments);
  if (value.is_string()) {
    Result<Json> inner = parse_json(value.get_ref<const std::string&>(), "arguments");
    if (!inner) return false;
    value = std::move(*inner);
  }
  if (!value.is_object()) return false;
  call.name = name->get<std::string>();
  call.arguments = std::move(value);
  return true;
}

}  // namespace

JsonObjectScanner::Step JsonObjectScanner::feed(char c) {
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
      expect_ = string_is_key_ ? Expect::kColon : Expect::kCommaOrEnd;
    }
    return static_cast<unsigned char>(c) < 0x20 ? Step::kError : Step::kMore;
  }
  if (in_scalar_) {
    if (is_scalar(c)) return Step::kMore;
    in_scalar_ = false;
    expect_ = Expect::kCommaOrEnd;
  }
  return is_space(c) ? Step::kMore : feed_structure(c);
}

JsonObjectScanner::Step JsonObjectScanner::feed_structure(char c) {
  const bool key_fits = expect_ == Expect::kKey || expect_ == Expect::kKeyOrEnd;
  const bool value_fits = expect_ == Expect::kValue || expect_ == Expect::kValueOrEnd;
  if (c == '{' || c == '[') {
    if (!value_fits && !(expect_ == Expect::kObject && c == '{')) return Step::kError;
    if (open_.size() >= static_cast<size_t>(kMaxJsonDepth)) return Step::kError;
    open_.push_back(c);
    expect_ = c == '{' ? Expect::kKeyOrEnd : Expect::kValueOrEnd;
  } else if (c == '}' || c == ']') {
    return close(c);
  } else if (c == '"') {
    if (!key_fits && !value_fits) return Step::kError;
    in_string_ = true;
    string_is_key_ = key_fits;
  } else if (c == ',') {
    if (expect_ != Expect::kCommaOrEnd) return Step::kError;
    expect_ = open_.back() == '{' ? Expect::kKey : Expect::kValue;
  } else if (c == ':') {
    if (expect_ != Expect::kColon) return Step::kError;
    expect_ = Expect::kValue;
  } else {
    if (!value_fits || !is_scalar(c)) return Step::kError;
    in_scalar_ = true;
  }
  return Step::kMore;
}

JsonObjectScanner::Step JsonObjectScanner::close(char bracket) {
  const bool object = bracket == '}';
  const bool empty = expect_ == (object ? Expect::kKeyOrEnd : Expect::kValueOrEnd);
  if (!empty && expect_ != Expect::kCommaOrEnd) return Step::kError;
  if (open_.back() != (object ? '{' : '[')) return Step::kError;
  open_.pop_back();
  expect_ = Expect::kCommaOrEnd;
  return open_.empty() ? Step::kDone : Step::kMore;
}

ScanResult HermesScanner::scan(std::string_view body) {
  const ScanResult no_call{ScanResult::Kind::kText, 0, {}};
  for (; json_end_ == 0; ++read_) {
    if (read_ == body.size()) return {};
    if (read_ == json_start_ && is_space(body[read_])) {
      ++json_start_;
      continue;
    }
    const JsonObjectScanner::Step step = json_.feed(body[read_]);
    if (step == JsonObjectScanner::Step::kError) return no_call;
    if (step == JsonObjectScanner::Step::kDone) json_end_ = read_ + 1;
  }
  while (read_ < body.size() && is_space(body[read_])) ++read_;
  const std::string_view tail = body.substr(read_, kToolCallClose.size());
  if (!kToolCallClose.starts_with(tail)) return no_call;
  if (tail.size() < kToolCallClose.size()) return {};
  ScanResult result{ScanResult::Kind::kCall, read_ + kToolCallClose.size(), {}};
  if (!read_call(body.substr(json_start_, json_end_ - json_start_), result.call)) {
    result.kind = ScanResult::Kind::kText;
  }
  return result;
}

}  // namespace ink
