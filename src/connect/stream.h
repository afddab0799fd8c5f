// A connection to one of the allowed addresses, plain or under TLS, with one deadline for name, connection
// and handshake together. Certificates are always verified, against the system's authorities; SSL_CERT_FILE
// adds a home's own. Redirects are nobody's business here: an answer that redirects is returned as it is.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "connect/wire.h"

namespace ink::connect {

using PlainStream = boost::beast::tcp_stream;
using SecureStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

// Why a conversation ended; thrown inside of the coroutines of this room and caught in connector.cpp, because
// the library underneath throws as well.
struct Failure : std::runtime_error {
  Failure(std::string kind_of_it, const std::string& message)
      : std::runtime_error(message), kind(std::move(kind_of_it)) {}
  std::string kind;
};

// For waiting: what goes wrong is put into `error` and not thrown.
inline auto into(boost::system::error_code& error) {
  return boost::asio::redirect_error(boost::asio::use_awaitable, error);
}

// Throws Failure: name, refused, timed_out, tls.
boost::asio::awaitable<PlainStream> open_plain(const Address& address, std::chrono::milliseconds timeout);
boost::asio::awaitable<SecureStream> open_secure(const Address& address, std::chrono::milliseconds timeout,
                                                 boost::asio::ssl::context& tls);

// The failure that an error of the library stands for, once a connection was there.
Failure lost(const boost::system::error_code& error);

}  // namespace ink::connect
