// The way out: everything that goes to a server goes through one child, inkstone-connect (src/connect/wire.h
// says what is spoken), which can reach the servers named here and nothing else.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "base/json.h"
#include "base/result.h"
#include "services/process/child.h"

namespace ink {

// What went wrong on the way: the kinds of src/connect/wire.h, and "ended" when inkstone-connect itself is
// gone.
struct NetworkProblem {
  std::string kind;
  std::string message;
};

struct HttpReply {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::optional<NetworkProblem> problem;  // then nothing of the above counts
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = Child::Clock;

  // servers: "host:port", as Address::host_and_port writes it. program: empty for the inkstone-connect beside
  // the running program. Errors: kNotFound, kIo.
  static Result<std::shared_ptr<Connection>> start(const std::set<std::string>& servers,
                                                   std::string program = "");
  ~Connection();

  // One request, whole: {"method", "url", "headers", "body"}. A deadline or a stop that comes first cancels
  // it: then the kind is "timed_out" or "cancelled".
  HttpReply request(Json http, Clock::time_point deadline, const std::stop_token& stop = {});

  // A conversation that goes on: a stream of events ("http" with "stream") or a WebSocket ("websocket"). Ends
  // when this object goes.
  class Exchange {
   public:
    ~Exchange();
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    // The next thing said (without its id); nothing at the deadline or on stop. After "error" or "end"
    // nothing comes.
    std::optional<Json> next(Clock::time_point deadline, const std::stop_token& stop = {});
    Status send(const std::string& text);  // WebSockets only

   private:
    friend class Connection;
    Exchange(std::shared_ptr<Connection> connection, int64_t id)
        : connection_(std::move(connection)), id_(id) {}
    std::shared_ptr<Connection> connection_;
    int64_t id_;
  };
  Result<std::unique_ptr<Exchange>> open(const Json& order);

 private:
  explicit Connection(std::unique_ptr<Child> child) : child_(std::move(child)) {}
  Status say(int64_t id, const Json& what);
  void listen(const std::stop_token& stop);

  std::unique_ptr<Child> child_;
  std::mutex writing_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable_any heard_;
  std::map<int64_t, std::deque<Json>> waiting_;  // of each open exchange
  int64_t last_id_ = 0;
  bool ended_ = false;
  std::jthread listener_;
};

}  // namespace ink
