// One HTTP request and its answer, whole or in pieces as they come (server-sent events).
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "base/utf8.h"
#include "connect/conversation.h"
#include "connect/stream.h"

namespace ink::connect {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

bool valid_utf8(std::string_view text) { return !find_invalid_utf8(text); }

http::request<http::string_body> message_of(const HttpRequest& request) {
  http::request<http::string_body> message(http::string_to_verb(request.method), request.address.target, 11);
  message.set(http::field::host, request.address.host_and_port());
  message.set(http::field::user_agent, "inkstone-connect");
  message.set(http::field::connection, "close");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

Json head_of(const http::response<http::buffer_body>& message) {
  Json headers = Json::object();
  for (const auto& field : message) {
    const std::string name = ascii_lower(field.name_string());
    const std::string value(field.value());
    if (valid_utf8(name) && valid_utf8(value)) headers[name] = value;
  }
  return {{"status", message.result_int()}, {"headers", std::move(headers)}};
}

// Reads the body piece by piece; `take` gets each piece as it comes.
template <typename Stream>
asio::awaitable<void> read_body(Stream& stream, beast::flat_buffer& buffer,
                                http::response_parser<http::buffer_body>& parser,
                                const std::function<void(const char*, size_t)>& take) {
  char piece[16384];
  while (!parser.is_done()) {
    parser.get().body().data = piece;
    parser.get().body().size = sizeof(piece);
    boost::system::error_code error;
    co_await http::async_read_some(stream, buffer, parser, into(error));
    if (error == http::error::need_buffer) error = {};
    if (error) throw lost(error);
    take(piece, sizeof(piece) - parser.get().body().size);
  }
}

template <typename Stream>
asio::awaitable<void> exchange(Stream& stream, const HttpRequest& request, const Say& say) {
  boost::system::error_code error;
  auto& socket = beast::get_lowest_layer(stream);
  socket.expires_after(request.timeout);
  const auto message = message_of(request);
  co_await http::async_write(stream, message, into(error));
  if (error) throw lost(error);
  beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(request.stream ? boost::optional<uint64_t>() : boost::optional<uint64_t>(kMaxBodyBytes));
  co_await http::async_read_header(stream, buffer, parser, into(error));
  if (error) throw lost(error);
  Json head = head_of(parser.get());
  std::string body;
  if (!request.stream) {
    co_await read_body(stream, buffer, parser,
                       [&](const char* data, size_t size) { body.append(data, size); });
    if (!valid_utf8(body)) throw Failure("garbage", "the answer is not UTF-8");
    head["body"] = std::move(body);
    say(head);
    co_return;
  }
  say(head);
  socket.expires_never();  // a stream of events is silent for as long as nothing happens
  co_await read_body(stream, buffer, parser, [&](const char* data, size_t size) {
    body.append(data, size);
    const size_t whole = whole_characters(body);
    if (find_invalid_utf8(std::string_view(body).substr(0, whole)))
      throw Failure("garbage", "the answer is not UTF-8");
    if (whole > 0) say({{"chunk", body.substr(0, whole)}});
    body.erase(0, whole);
  });
  say({{"end", true}});
}

}  // namespace

asio::awaitable<void> run_http(const HttpRequest& request, asio::ssl::context& tls, const Say& say) {
  if (request.address.secure) {
    auto stream = co_await open_secure(request.address, request.timeout, tls);
    co_await exchange(stream, request, say);
  } else {
    auto stream = co_await open_plain(request.address, request.timeout);
    co_await exchange(stream, request, say);
  }
}

}  // namespace ink::connect
