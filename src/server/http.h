// The HTTP/1.1 server: one thread for all connections, two groups of threads for the endpoints (quick ones,
// and those that generate). It reads requests within their limits, lets in who may come in (server/access.h),
// and sends what the endpoints say. It knows nothing about models.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/exchange.h"
#include "server/metrics.h"
#include "server/options.h"

namespace ink::server {

class HttpServer {
 public:
  // Listens when this returns. Errors: those of Listener::open.
  static Result<std::unique_ptr<HttpServer>> start(const ServerOptions& options, std::vector<Route> routes,
                                                   std::shared_ptr<Metrics> metrics);
  ~HttpServer();  // without grace

  std::string address() const;  // "http://127.0.0.1:11435", "unix:/run/inkstone.sock"
  uint16_t port() const;        // 0 for a Unix socket

  // Listens no more, answers what waits with 503, lets what runs end, and cancels what still runs after
  // `grace`. Returns at once; called again, the shorter grace counts.
  void shut_down(std::chrono::milliseconds grace);
  // True: everything has ended, and no endpoint runs any more.
  bool wait(std::chrono::milliseconds at_most);

 private:
  class Running;
  explicit HttpServer(std::unique_ptr<Running> running);
  std::unique_ptr<Running> running_;
};

}  // namespace ink::server
