// See server/http.h.
#include "server/http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/connection.h"
#include "server/core.h"
#include "server/listener.h"

namespace ink::server {
namespace asio = boost::asio;
using Protocol = asio::generic::stream_protocol;

namespace {

constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 2\r\n"
    "connection: close\r\ncontent-length: 100\r\n\r\n"
    R"({"error":{"message":"too many connections","type":"unavailable_error","param":null,"code":"busy"  }})";
static_assert(kFull.size() - kFull.find("\r\n\r\n") - 4 == 100);

// Unique among the runs of a server, too: clients keep ids.
std::string new_id_prefix() {
  char text[20];
  std::snprintf(text, sizeof text, "%08x", std::random_device{}());
  return text;
}

}  // namespace

class HttpServer::Running {
 public:
  Running(const ServerOptions& options, Listener listener, std::vector<Route> routes,
          std::shared_ptr<Metrics> metrics)
      : listener_(std::move(listener)),
        core_(options, listener_.port(), std::move(routes), std::move(metrics)),
        acceptor_(core_.context, Protocol(listener_.family(), 0), listener_.release_descriptor()),
        rest_(core_.context) {
    core_.id_prefix = new_id_prefix();
    accept();
    thread_ = std::thread([this] { run(); });
  }

  ~Running() {
    shut_down(std::chrono::milliseconds(0));
    thread_.join();
  }

  const Listener& listener() const { return listener_; }

  void shut_down(std::chrono::milliseconds grace) {
    asio::post(core_.context, [this, grace] { close_soon(grace); });
  }

  bool wait(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    return ended_changed_.wait_for(lock, at_most, [&] { return ended_; });
  }

 private:
  void run() {
    core_.context.run();  // until the listener and the last connection are closed
    core_.quick.stop();
    core_.slow.stop();
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    ended_changed_.notify_all();
  }

  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Protocol::socket socket) {
      if (core_.closing) return;
      if (!error) {
        welcome(std::move(socket));
        return accept();
      }
      // Out of descriptors, for instance: trying again at once would only burn a core.
      rest_.expires_after(std::chrono::milliseconds(100));
      rest_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled && !core_.closing) accept();
      });
    });
  }

  void welcome(Protocol::socket socket) {
    if (core_.connections.size() >= core_.limits.connections) {
      // Its buffer is empty: this takes all of it or nothing, and never waits.
      [[maybe_unused]] const ssize_t sent =
          ::send(socket.native_handle(), kFull.data(), kFull.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      return;
    }
    if (!listener_.is_unix()) {
      const int yes = 1;  // tokens are small and must not wait for each other
      ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    const auto connection = std::make_shared<Connection>(core_, std::move(socket));
    core_.connections.insert(connection);
    core_.metrics->connections = static_cast<int64_t>(core_.connections.size());
    connection->begin_request();
  }

  void close_soon(std::chrono::milliseconds grace) {
    if (!core_.closing) {
      core_.closing = true;
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      rest_.cancel();
      for (const auto& connection : everybody()) connection->finish_soon();
    }
    if (core_.connections.empty()) return;
    const auto until = std::chrono::steady_clock::now() + grace;
    if (cancel_at_ && until >= *cancel_at_) return;
    cancel_at_ = until;
    wait_for_the_last();
  }

  // Looks ten times a second whether everybody has gone, so that the end does not wait for the whole grace.
  void wait_for_the_last() {
    if (core_.connections.empty()) return;
    if (*cancel_at_ <= std::chrono::steady_clock::now()) {
      for (const auto& connection : everybody()) connection->cancel();
      return;
    }
    rest_.expires_after(std::chrono::milliseconds(100));
    rest_.async_wait([this](const boost::system::error_code& error) {
      if (!error) wait_for_the_last();
    });
  }

  std::vector<std::shared_ptr<Connection>> everybody() const {
    return {core_.connections.begin(), core_.connections.end()};
  }

  Listener listener_;
  Core core_;
  asio::basic_socket_acceptor<Protocol> acceptor_;
  asio::steady_timer rest_;  // until listening, or waiting for the last, goes on
  std::optional<std::chrono::steady_clock::time_point> cancel_at_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Running> running) : running_(std::move(running)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(const ServerOptions& options, std::vector<Route> routes,
                                                      std::shared_ptr<Metrics> metrics) {
  auto listener = Listener::open(options);
  if (!listener.ok()) return listener.error();
  auto running =
      std::make_unique<Running>(options, std::move(*listener), std::move(routes), std::move(metrics));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(running)));
}

std::string HttpServer::address() const { return running_->listener().address(); }
uint16_t HttpServer::port() const { return running_->listener().port(); }
void HttpServer::shut_down(std::chrono::milliseconds grace) { running_->shut_down(grace); }
bool HttpServer::wait(std::chrono::milliseconds at_most) { return running_->wait(at_most); }

}  // namespace ink::server
