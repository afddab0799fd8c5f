// Opening: name, connection, handshake. Each step says by itself what went wrong, because a person can mend a
// wrong name, a server that is away and a certificate only if told which it is.
#include "connect/stream.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/error.hpp>

namespace ink::connect {
namespace asio = boost::asio;
namespace beast = boost::beast;

asio::awaitable<PlainStream> open_plain(const Address& address, std::chrono::milliseconds timeout) {
  const auto executor = co_await asio::this_coro::executor;
  boost::system::error_code error;
  asio::ip::tcp::resolver resolver(executor);
  const auto places =
      co_await resolver.async_resolve(address.host, std::to_string(address.port), into(error));
  if (error == asio::error::operation_aborted) throw Failure("cancelled", "cancelled");
  if (error) throw Failure("name", "no address for " + address.host + ": " + error.message());
  PlainStream stream(executor);
  stream.expires_after(timeout);
  co_await stream.async_connect(places, into(error));
  if (error == beast::error::timeout)
    throw Failure("timed_out", "no connection to " + address.host_and_port());
  if (error) throw Failure("refused", "no connection to " + address.host_and_port() + ": " + error.message());
  co_return stream;
}

asio::awaitable<SecureStream> open_secure(const Address& address, std::chrono::milliseconds timeout,
                                          asio::ssl::context& tls) {
  SecureStream stream(co_await open_plain(address, timeout), tls);
  stream.set_verify_mode(asio::ssl::verify_peer);
  stream.set_verify_callback(asio::ssl::host_name_verification(address.host));
  if (!SSL_set_tlsext_host_name(stream.native_handle(), address.host.c_str()))
    throw Failure("tls", address.host + ": not a name that TLS can ask for");
  boost::system::error_code error;
  co_await stream.async_handshake(asio::ssl::stream_base::client, into(error));
  if (error == beast::error::timeout)
    throw Failure("timed_out", "no handshake with " + address.host_and_port());
  if (error) throw Failure("tls", "no trust in " + address.host_and_port() + ": " + error.message());
  co_return stream;
}

Failure lost(const boost::system::error_code& error) {
  namespace http = beast::http;
  if (error == beast::error::timeout) return {"timed_out", "no answer in time"};
  if (error == http::error::body_limit || error == http::error::header_limit ||
      error == http::error::buffer_overflow || error == beast::websocket::error::message_too_big)
    return {"too_large", "the answer is larger than " + std::to_string(kMaxBodyBytes >> 20) + " MiB"};
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error == asio::error::eof || error == asio::error::connection_reset ||
      error == asio::error::broken_pipe)
    return {"lost", "the connection was closed before the end of the answer"};
  if (error == asio::error::operation_aborted) return {"cancelled", "cancelled"};
  return {"garbage", error.message()};
}

}  // namespace ink::connect
