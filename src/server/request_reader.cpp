// See server/request_reader.h.
#include "server/request_reader.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/utf8.h"

namespace ink::server {

namespace http = boost::beast::http;

class RequestReader::Parser : public http::request_parser<http::string_body> {};

namespace {

// A header that must not be there twice: two readers could take different ones.
constexpr std::string_view kSingleHeaders[] = {
    "host",   "authorization",     "x-api-key",      "origin",
    "expect", "content-length",    "content-type",   "content-encoding",
    "cookie", "transfer-encoding", "sec-fetch-site", "range"};

constexpr size_t kAroundTarget = 32;  // method, version and blanks of the first line

bool is_single(std::string_view name) {
  for (const std::string_view single : kSingleHeaders)
    if (name == single) return true;
  return false;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool parse_query(std::string_view text, std::map<std::string, std::string>& query) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (item.empty()) continue;
    const size_t equals = std::min(item.find('='), item.size());
    std::string name, value;
    if (!percent_decode(item.substr(0, equals), true, name) ||
        !percent_decode(item.substr(std::min(equals + 1, item.size())), true, value))
      return false;
    query[name] = value;
  }
  return true;
}

// "/path?query", the same after "http://host", or "*". False: none of these.
bool parse_target(std::string_view target, Request& request) {
  if (target == "*" && request.method == "OPTIONS") {
    request.path = "*";
    return true;
  }
  if (target.starts_with("http://") || target.starts_with("https://")) {
    const size_t host = target.find("//") + 2,
                 end = std::min(target.find_first_of("/?", host), target.size());
    if (target.substr(host, end - host) != request.headers["host"]) return false;
    target.remove_prefix(end);
    if (target.empty()) target = "/";
  }
  if (!target.starts_with('/') || target.find('#') != std::string_view::npos) return false;
  const size_t question = std::min(target.find('?'), target.size());
  return percent_decode(target.substr(0, question), false, request.path) &&
         parse_query(target.substr(std::min(question + 1, target.size())), request.query);
}

}  // namespace

bool percent_decode(std::string_view text, bool plus_is_space, std::string& decoded) {
  decoded.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded.find('\0') == std::string::npos && !find_invalid_utf8(decoded);
}

RequestReader::RequestReader(const Limits& limits) : limits_(limits), parser_(std::make_unique<Parser>()) {
  parser_->header_limit(static_cast<uint32_t>(limits.header_bytes));
  parser_->body_limit(limits.body_bytes);
  parser_->eager(false);
}

RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::refuse(int status, std::string message, std::string code) {
  refusal_ = {status, std::move(message), std::move(code)};
  return state_ = State::kRefused;
}

RequestReader::State RequestReader::take(std::string& input) {
  if (state_ == State::kHead) return read_head(input);
  if (state_ == State::kBody) return read_body(input);
  return state_;
}

RequestReader::State RequestReader::read_head(std::string& input) {
  // Some clients send a line end after a body that they did not count.
  for (int i = 0; i < 4 && !begun_ && input.starts_with("\r\n"); ++i) input.erase(0, 2);
  if (input.empty() || (!begun_ && input == "\r")) return state_;
  begun_ = true;
  // The size of the first line is known before all of it is there.
  if (!line_is_read_ && std::min(input.find('\n'), input.size()) > limits_.target_bytes + kAroundTarget)
    return refuse(414, "the address is longer than " + std::to_string(limits_.target_bytes) + " bytes",
                  "uri_too_long");
  boost::system::error_code error;
  const size_t used = parser_->put(boost::asio::buffer(input), error);
  input.erase(0, used);
  line_is_read_ = line_is_read_ || used > 0;
  if (error == http::error::need_more) return state_;
  if (error == http::error::header_limit)
    return refuse(431, "the header is larger than " + std::to_string(limits_.header_bytes) + " bytes",
                  "header_too_large");
  if (error == http::error::body_limit)
    return refuse(413, "the body is larger than " + std::to_string(limits_.body_bytes) + " bytes",
                  "body_too_large");
  if (error) return refuse(400, "not HTTP/1.1: " + error.message(), "invalid_request");
  return parser_->is_header_done() ? check_head() : state_;
}

RequestReader::State RequestReader::check_head() {
  const auto& message = parser_->get();
  head_.keep_alive = parser_->keep_alive();
  head_.is_http_1_0 = message.version() == 10;
  Request& request = head_.request;
  size_t count = 0;
  for (const auto& field : message) {
    if (++count > limits_.header_count)
      return refuse(431, "more than " + std::to_string(limits_.header_count) + " header fields",
                    "header_too_large");
    const std::string name = ascii_lower(std::string(field.name_string()));
    const std::string value(field.value());
    if (find_invalid_utf8(value))
      continue;  // old clients write Latin-1; nothing that counts here is written so
    const auto [place, is_new] = request.headers.try_emplace(name, value);
    if (is_new) continue;
    if (is_single(name)) return refuse(400, "two header fields " + name, "invalid_request");
    place->second += ", " + value;
  }
  if (!request.headers.contains("host")) return refuse(400, "no header field host", "invalid_request");
  request.method = message.method_string();
  if (!parse_target(message.target(), request))
    return refuse(400, "not a path and a query in UTF-8", "invalid_request");
  return check_body_fields();
}

RequestReader::State RequestReader::check_body_fields() {
  const auto value = [&](const char* name) {
    const auto found = head_.request.headers.find(name);
    return found == head_.request.headers.end() ? std::string() : ascii_lower(found->second);
  };
  const std::string coding = value("transfer-encoding"), content = value("content-encoding");
  if (!coding.empty() && coding != "chunked")
    return refuse(501, "no transfer coding but chunked is known", "transfer_coding_not_implemented");
  if (!coding.empty() && head_.is_http_1_0)
    return refuse(400, "HTTP/1.0 has no transfer codings", "invalid_request");
  if (!content.empty() && content != "identity")
    return refuse(415, "a body cannot be compressed", "unsupported_encoding");
  const std::string expected = value("expect");
  if (!expected.empty() && expected != "100-continue")
    return refuse(417, "no expectation but 100-continue is known", "expectation_failed");
  const std::string& method = head_.request.method;
  const bool has_length = head_.request.headers.contains("content-length");
  if ((method == "POST" || method == "PUT" || method == "PATCH") && coding.empty() && !has_length)
    return refuse(411, "a body needs a content-length, or chunks", "length_required");
  head_.expects_continue = !expected.empty() && !parser_->is_done();
  parser_->eager(true);
  return state_ = State::kBody;
}

RequestReader::State RequestReader::read_body(std::string& input) {
  boost::system::error_code error;
  if (!parser_->is_done()) {
    if (input.empty()) return state_;
    const size_t used = parser_->put(boost::asio::buffer(input), error);
    input.erase(0, used);
  }
  if (error == http::error::body_limit)
    return refuse(413, "the body is larger than " + std::to_string(limits_.body_bytes) + " bytes",
                  "body_too_large");
  // What is left is the beginning of a chunk's own header, or of trailers.
  if ((error == http::error::need_more || !error) && !parser_->is_done())
    return input.size() <= limits_.header_bytes
               ? state_
               : refuse(431, "the header of a chunk is too large", "header_too_large");
  if (error) return refuse(400, "the body is not as announced: " + error.message(), "invalid_request");
  return state_ = State::kWhole;
}

size_t RequestReader::body_bytes() const { return parser_->get().body().size(); }

Request RequestReader::whole() {
  Request request = std::move(head_.request);
  request.body = std::move(parser_->get().body());
  return request;
}

}  // namespace ink::server
