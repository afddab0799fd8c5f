// One client's connection: reads a request, has it answered, sends the answer, reads the next. While an
// answer is made a read is always waiting, so that a client that leaves is noticed at once and what works for
// it stops. Everything here runs on the one thread of input and output; only what Outgoing keeps is shared.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/core.h"
#include "server/outgoing.h"
#include "server/request_reader.h"

namespace ink::server {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using Error = boost::system::error_code;

  Connection(Core& core, Socket socket);
  void begin_request();

  void finish_soon();  // the server closes: no request after the one that is being answered
  void cancel();       // nor that one

 private:
  enum class Phase { kReading, kAnswering, kLingering, kClosed };

  // --- reading
  void read_more();
  void on_read(const Error& error, size_t size);
  void read_request();
  bool admit();  // the head is whole: may it go on? Otherwise it has been answered
  void expect_within(std::chrono::milliseconds time);
  void on_deadline();
  void hold_body_bytes(uint64_t bytes);

  // --- answering
  std::shared_ptr<Outgoing> new_answer(bool keep_alive);
  void refuse(const Refusal& refusal);
  void answer_options();
  void dispatch();
  void give_to_worker(const std::shared_ptr<Outgoing>& answer);
  void send();
  void on_sent(const Error& error, size_t size);
  void finish_answer();
  void ping_later();

  // --- ending
  void count_request(int status);
  void linger();  // says that nothing will follow, and waits until the client has closed
  void leave(std::string_view why);
  void close();

  Core& core_;
  Socket socket_;
  boost::asio::steady_timer deadline_, stall_, ping_;
  Phase phase_ = Phase::kReading;

  std::array<char, 16384> piece_;
  std::string input_;  // read, and not yet understood
  bool reading_ = false;
  std::unique_ptr<RequestReader> reader_;
  uint64_t held_bytes_ = 0;
  std::chrono::steady_clock::time_point body_began_;

  const Route* route_ = nullptr;
  std::string method_;
  std::string request_id_;
  std::chrono::steady_clock::time_point request_began_;
  std::shared_ptr<Outgoing> answer_;
  uint64_t job_ = 0;  // its number with the slow workers, while it may still wait
  std::string output_;
  size_t sent_ = 0;  // of output_
  bool sending_ = false;
};

}  // namespace ink::server
