// A WebSocket client: text messages only, both ways. The library answers pings and notices a server that
// died.
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "base/utf8.h"
#include "connect/conversation.h"
#include "connect/stream.h"

namespace ink::connect {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

template <typename Stream>
class SocketOf : public Socket {
 public:
  explicit SocketOf(Stream stream) : stream_(std::move(stream)) {}

  asio::awaitable<void> open(const SocketRequest& request) {
    beast::get_lowest_layer(stream_).expires_never();  // from here on the WebSocket has deadlines of its own
    auto timeouts = websocket::stream_base::timeout::suggested(beast::role_type::client);
    timeouts.handshake_timeout = request.timeout;
    timeouts.keep_alive_pings = true;
    stream_.set_option(timeouts);
    stream_.read_message_max(kMaxBodyBytes);
    stream_.set_option(websocket::stream_base::decorator([&request](websocket::request_type& message) {
      message.set(beast::http::field::user_agent, "inkstone-connect");
      for (const auto& [name, value] : request.headers) message.set(name, value);
    }));
    boost::system::error_code error;
    co_await stream_.async_handshake(request.address.host_and_port(), request.address.target, into(error));
    if (error) throw lost(error);
  }

  asio::awaitable<void> receive(const Say& say) {
    while (true) {
      beast::flat_buffer buffer;
      boost::system::error_code error;
      co_await stream_.async_read(buffer, into(error));
      // A server that hangs up right after its farewell makes the end of the connection fail; it has ended
      // all the same.
      if (error == websocket::error::closed || stream_.reason()) break;
      if (error) throw lost(error);
      std::string text = beast::buffers_to_string(buffer.data());
      if (!stream_.got_text() || find_invalid_utf8(text))
        throw Failure("garbage", "a message that is not text");
      say({{"text", std::move(text)}});
    }
    say({{"end", true}});
  }

  asio::awaitable<void> send(const std::string& text) override {
    stream_.text(true);
    boost::system::error_code error;
    co_await stream_.async_write(asio::buffer(text), into(error));
    if (error) throw lost(error);
  }

 private:
  websocket::stream<Stream, false> stream_;  // without compression, which a client has to ask for
};

template <typename Stream>
asio::awaitable<void> converse(Stream stream, const SocketRequest& request, const Say& say,
                               const std::function<void(std::shared_ptr<Socket>)>& opened) {
  const auto socket = std::make_shared<SocketOf<Stream>>(std::move(stream));
  co_await socket->open(request);
  say({{"open", true}});
  opened(socket);
  co_await socket->receive(say);
}

}  // namespace

asio::awaitable<void> run_socket(const SocketRequest& request, asio::ssl::context& tls, const Say& say,
                                 const std::function<void(std::shared_ptr<Socket>)>& opened) {
  if (request.address.secure)
    co_await converse(co_await open_secure(request.address, request.timeout, tls), request, say, opened);
  else
    co_await converse(co_await open_plain(request.address, request.timeout), request, say, opened);
}

}  // namespace ink::connect
