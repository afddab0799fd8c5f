// Reads orders on one pipe, holds the conversations, writes what comes of them on another. Ends when the
// parent closes its side: this program cannot outlive the one that wanted it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/ssl/context.hpp>

#include "connect/conversation.h"
#include "connect/wire.h"

namespace ink::connect {

class Connector {
 public:
  // allowed: "host:port" of every server that may be spoken to; all others are refused.
  Connector(std::set<std::string> allowed, int input, int output);

  void run();  // until the input ends

 private:
  struct Conversation {
    boost::asio::cancellation_signal cancel;
    std::shared_ptr<Socket> socket;  // of an open WebSocket
  };

  boost::asio::awaitable<void> read_orders();
  boost::asio::awaitable<void> obey(const std::string& line);
  boost::asio::awaitable<void> send(int64_t id, const std::string& text);
  void cancel(int64_t id);
  void begin(Order order);
  void say(int64_t id, const Json& what);

  std::set<std::string> allowed_;
  int output_;
  boost::asio::io_context context_{1};
  boost::asio::posix::stream_descriptor input_;
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_client};
  std::map<int64_t, std::shared_ptr<Conversation>> conversations_;
};

}  // namespace ink::connect
