// One exchange with a server: an HTTP request with its answer, or a WebSocket. What it says is handed to
// `say` as JSON without the id.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>

#include "connect/wire.h"

namespace ink::connect {

using Say = std::function<void(const Json&)>;

// Ends when the answer is complete; throws Failure.
boost::asio::awaitable<void> run_http(const HttpRequest& request, boost::asio::ssl::context& tls,
                                      const Say& say);

// The sending side of an open WebSocket.
class Socket {
 public:
  virtual ~Socket() = default;
  virtual boost::asio::awaitable<void> send(const std::string& text) = 0;
};

// Calls `opened` once, then says every message; ends when the other side closes; throws Failure.
boost::asio::awaitable<void> run_socket(const SocketRequest& request, boost::asio::ssl::context& tls,
                                        const Say& say,
                                        const std::function<void(std::shared_ptr<Socket>)>& opened);

}  // namespace ink::connect
