// One HTTP exchange as an endpoint sees it. The transport (server/http.h) reads the request whole, within its
// limits, checks Host, Origin and key, and calls the endpoint on a thread of its own; what the endpoint says
// goes out without ever blocking it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ink::server {

struct Request {
  std::string method;  // "GET", "POST", …
  std::string path;    // without the query, percent-decoded
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string id;  // of this exchange, for logs and for answers' ids: unique while the server runs
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> headers;  // beside the transport's own
};

// Either reply() once, or begin() once, then write() any number of times, then end() once.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void reply(Reply reply) = 0;
  virtual void begin(int status, std::string content_type) = 0;  // a stream (chunked)
  virtual bool write(std::string_view bytes) = 0;                // false: the client is gone
  virtual void end() = 0;
  // Set when the client has gone or the server's grace time is over: stop working on this.
  virtual const std::atomic<bool>& gone() const = 0;
};

using Endpoint = std::function<void(const Request&, Responder&)>;

struct Route {
  std::string method;
  std::string path;  // exact, or with one {name} segment at its end, which arrives in Request::query
  Endpoint endpoint;
  bool needs_key = true;
  bool is_slow =
      true;  // may generate: it gets one of the threads for that, and waits for one if there is none
};

}  // namespace ink::server
