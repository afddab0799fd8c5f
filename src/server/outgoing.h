// What an endpoint says, on its way to one client: put into HTTP's form on the endpoint's thread, taken from
// here by the thread of the connections. The endpoint never waits for the client. What the client has not
// taken is bounded; beyond that the client is dropped, because a stream of tokens grows for as long as it
// runs.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "server/exchange.h"

namespace ink::server {

class Outgoing final : public Responder {
 public:
  struct Manner {
    bool head_only = false;  // HEAD: the answer's header without its body
    bool can_chunk = true;   // HTTP/1.0 cannot: a stream ends with the connection
    bool keep_alive = true;
    size_t unread_bytes = 0;
    std::map<std::string, std::string> headers;  // in every answer of this exchange
  };
  // `wake` is called from the endpoint's thread when there is something to take.
  Outgoing(Manner manner, std::function<void()> wake);

  // --- the endpoint's side
  void reply(Reply reply) override;
  void begin(int status, std::string content_type) override;
  bool write(std::string_view bytes) override;
  void end() override;
  const std::atomic<bool>& gone() const override { return gone_; }
  // The endpoint has returned. One that said nothing is answered for; one that did not end its stream has it
  // broken off, so that the client cannot take half an answer for a whole one.
  void returned();

  // --- the connection's side
  // What is to be sent next; what was taken before has been sent.
  std::string take();
  void leave() { gone_ = true; }
  bool is_whole() const;   // nothing will follow what has been taken
  bool is_broken() const;  // it has to be broken off
  bool has_overflowed() const;
  bool keep_alive() const;  // after it
  int status() const;       // 0: it has not begun
  bool is_event_stream() const;
  // ": ping" into a stream of events that has been silent for so long, never into the middle of an event.
  void ping_after(std::chrono::milliseconds silence);

 private:
  void put_head(int status, const std::string& content_type, std::map<std::string, std::string> headers);
  void put_chunk(std::string_view bytes);
  void tell();

  const Manner manner_;
  const std::function<void()> wake_;
  std::atomic<bool> gone_{false};

  mutable std::mutex mutex_;
  std::string pending_;
  size_t in_flight_ = 0;  // bytes that were taken last
  bool told_ = false;     // the connection knows that there is something to take
  int status_ = 0;
  bool streams_ = false, ended_ = false, broken_ = false, overflowed_ = false, keep_alive_ = true;
  bool is_events_ = false, between_events_ = true;
  std::chrono::steady_clock::time_point last_said_;
};

}  // namespace ink::server
