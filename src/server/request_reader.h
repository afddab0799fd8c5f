// One HTTP/1.1 request from bytes as they come, in whatever pieces. Knows no socket, so that a fuzzer can
// push anything through it. The grammar is Boost.Beast's; what is added here are the limits, the refusal of
// everything that two readers could understand differently (two Hosts, a length beside chunks, another
// transfer coding), and that a path and a query are UTF-8.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "server/exchange.h"
#include "server/options.h"

namespace ink::server {

// Why a request is not answered as it wanted.
struct Refusal {
  int status = 400;
  std::string message;
  std::string code;  // for programs: "invalid_request", "body_too_large", …
};

struct RequestHead {
  Request request;  // without its body
  bool keep_alive = true;
  bool is_http_1_0 = false;  // which knows no chunks
  bool expects_continue = false;
};

class RequestReader {
 public:
  enum class State { kHead, kBody, kWhole, kRefused };

  explicit RequestReader(const Limits& limits);
  ~RequestReader();

  // Takes what belongs to this request from the front of `input` (and leaves what follows it). Stops once
  // when the head is whole (kBody, also when no body will come), so that it can be looked at before more is
  // read.
  State take(std::string& input);
  State state() const { return state_; }
  bool has_begun() const { return begun_; }

  const RequestHead& head() const { return head_; }  // from kBody on
  size_t body_bytes() const;                         // that have been read
  Request whole();                                   // once, in kWhole
  const Refusal& refusal() const { return refusal_; }

 private:
  class Parser;
  State refuse(int status, std::string message, std::string code);
  State read_head(std::string& input);
  State check_head();
  State check_body_fields();
  State read_body(std::string& input);

  const Limits limits_;
  std::unique_ptr<Parser> parser_;
  State state_ = State::kHead;
  bool begun_ = false;
  bool line_is_read_ = false;
  RequestHead head_;
  Refusal refusal_;
};

// "%E4%BD%A0" as bytes; with `plus_is_space` as in a query. False when an escape is not two hexadecimal
// digits, or the result is not UTF-8 or has a zero byte.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& decoded);

}  // namespace ink::server
