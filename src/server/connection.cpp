// See server/connection.h. Easy to get wrong: a handler may come after close(), and close() may be reached
// from within any of them; so each handler holds the connection and looks at the phase first.
#include "server/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "server/refusal.h"

namespace ink::server {
namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

// Requests that are sent ahead of their turn: more than this is left in the system's buffers.
constexpr size_t kMostAhead = 64 << 10;
constexpr std::chrono::milliseconds kLinger{2'000};

double elapsed_seconds(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

}  // namespace

Connection::Connection(Core& core, Socket socket)
    : core_(core),
      socket_(std::move(socket)),
      deadline_(core.context),
      stall_(core.context),
      ping_(core.context) {}

void Connection::begin_request() {
  phase_ = Phase::kReading;
  route_ = nullptr;
  method_.clear();
  hold_body_bytes(0);
  reader_ = std::make_unique<RequestReader>(core_.limits);
  expect_within(core_.limits.idle_timeout);
  read_request();
}

void Connection::read_more() {
  if (reading_ || phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kAnswering && input_.size() >= kMostAhead) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(piece_), [self = shared_from_this()](const Error& error, size_t size) {
    self->on_read(error, size);
  });
}

void Connection::on_read(const Error& error, size_t size) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (error) return phase_ == Phase::kAnswering ? leave("left") : close();
  core_.metrics->received_bytes += size;
  if (phase_ != Phase::kLingering) input_.append(piece_.data(), size);
  if (phase_ == Phase::kReading)
    read_request();
  else
    read_more();
}

void Connection::read_request() {
  while (phase_ == Phase::kReading) {
    const bool had_begun = reader_->has_begun();
    const auto before = reader_->state();
    const auto state = reader_->take(input_);
    if (state == RequestReader::State::kRefused) return refuse(reader_->refusal());
    if (state == RequestReader::State::kWhole) return dispatch();
    if (state == RequestReader::State::kBody) {
      if (before == RequestReader::State::kHead) {
        body_began_ = SteadyClock::now();
        if (!admit()) return;
        continue;
      }
      hold_body_bytes(reader_->body_bytes());
      if (core_.bodies_bytes > core_.limits.all_bodies_bytes)
        return refuse({503, "too many large requests at once", "busy"});
    } else if (!had_begun && reader_->has_begun()) {
      expect_within(core_.limits.header_timeout);
    }
    return read_more();
  }
}

bool Connection::admit() {
  RequestHead head = reader_->head();
  Request& request = head.request;
  method_ = request.method;
  if (const auto refusal = core_.access.check_place(request)) return refuse(*refusal), false;
  if (method_ == "OPTIONS") return answer_options(), false;
  route_ = core_.router.find(request);
  // Without a key a client does not learn which paths there are.
  if ((!route_ || route_->needs_key) && !core_.access.has_key(request))
    return refuse({401, "a valid key is needed: Authorization: Bearer KEY, or x-api-key: KEY",
                   "invalid_api_key"}),
           false;
  if (!route_) {
    const std::string methods = core_.router.methods_of(request.path);
    const bool there = !methods.empty();
    return refuse({there ? 405 : 404,
                   there ? method_ + " is not possible here; possible: " + methods
                         : "no such path: " + request.path,
                   there ? "method_not_allowed" : "not_found"}),
           false;
  }
  if (head.expects_continue && input_.empty()) {
    output_ += "HTTP/1.1 100 Continue\r\n\r\n";
    send();
  }
  expect_within(core_.limits.body_timeout);
  return phase_ == Phase::kReading;
}

void Connection::expect_within(std::chrono::milliseconds time) {
  deadline_.expires_after(time);
  deadline_.async_wait([self = shared_from_this()](const Error& error) {
    if (!error) self->on_deadline();
  });
}

void Connection::on_deadline() {
  if (deadline_.expiry() > SteadyClock::now()) return;  // it was moved after this had been queued
  if (phase_ == Phase::kLingering) return close();
  if (phase_ != Phase::kReading) return;
  if (!reader_->has_begun()) return close();
  if (reader_->state() == RequestReader::State::kBody) {
    const auto earned =
        std::chrono::milliseconds(1000 * reader_->body_bytes() / core_.limits.body_bytes_per_second);
    const auto until = body_began_ + core_.limits.body_timeout + earned;
    if (until > SteadyClock::now())
      return expect_within(std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()));
  }
  refuse({408, "the request did not come in time", "request_timeout"});
}

void Connection::hold_body_bytes(uint64_t bytes) {
  core_.bodies_bytes = core_.bodies_bytes - held_bytes_ + bytes;
  held_bytes_ = bytes;
}

// --- answering

std::shared_ptr<Outgoing> Connection::new_answer(bool keep_alive) {
  const RequestHead& head = reader_->head();
  Outgoing::Manner manner;
  manner.head_only = head.request.method == "HEAD" || method_ == "HEAD";
  manner.can_chunk = !head.is_http_1_0;
  manner.keep_alive = keep_alive && head.keep_alive && !core_.closing;
  manner.unread_bytes = core_.limits.unread_bytes;
  request_id_ = core_.id_prefix + std::to_string(++core_.last_id);
  manner.headers["x-request-id"] = request_id_;
  if (const auto origin = head.request.headers.find("origin"); origin != head.request.headers.end()) {
    manner.headers["vary"] = "origin";
    // Where check_place has refused the origin, its page must not read why either.
    if (!core_.access.check_place(head.request)) {
      manner.headers["access-control-allow-origin"] = origin->second;
      manner.headers["access-control-expose-headers"] = "x-request-id, retry-after";
    }
  }
  deadline_.cancel();
  phase_ = Phase::kAnswering;
  request_began_ = SteadyClock::now();
  answer_ =
      std::make_shared<Outgoing>(std::move(manner), [&context = core_.context, weak = weak_from_this()] {
        asio::post(context, [weak] {
          if (const auto self = weak.lock()) self->send();
        });
      });
  return answer_;
}

void Connection::refuse(const Refusal& refusal) {
  // A request that was not read to its end leaves bytes that are not the next request's beginning.
  const bool is_read = reader_->state() == RequestReader::State::kBody &&
                       reader_->take(input_) == RequestReader::State::kWhole;
  const auto answer = new_answer(is_read);
  Reply reply = refusal_reply(refusal, reader_->head().request.path);
  if (refusal.status == 405) reply.headers["allow"] = core_.router.methods_of(reader_->head().request.path);
  answer->reply(std::move(reply));
  reader_.reset();  // with what it had of the body: others may need the room
  hold_body_bytes(0);
  send();
}

// A browser asks before it sends a page's request to another origin (a preflight); others want to know what
// there is.
void Connection::answer_options() {
  const bool is_read = reader_->take(input_) == RequestReader::State::kWhole;
  const Request& request = reader_->head().request;
  const std::string methods = core_.router.methods_of(request.path);
  const std::string all = methods.empty() ? "OPTIONS" : methods + ", OPTIONS";
  Reply reply{204, "", "", {{"allow", all}}};
  const auto value = [&](const char* name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? std::string() : found->second;
  };
  if (!value("origin").empty() && !value("access-control-request-method").empty()) {
    reply.headers["access-control-allow-methods"] = all;
    if (const std::string wanted = value("access-control-request-headers"); !wanted.empty())
      reply.headers["access-control-allow-headers"] = wanted.substr(0, 2000);
    if (value("access-control-request-private-network") == "true")
      reply.headers["access-control-allow-private-network"] = "true";
    reply.headers["access-control-max-age"] = "600";
  }
  new_answer(is_read)->reply(std::move(reply));
  send();
}

void Connection::dispatch() {
  hold_body_bytes(reader_->body_bytes());
  const auto answer = new_answer(true);
  give_to_worker(answer);
  // Read on: the end of the connection is how a client that leaves is noticed.
  read_more();
}

void Connection::give_to_worker(const std::shared_ptr<Outgoing>& answer) {
  Core& core = core_;
  const Route& route = *route_;
  const bool is_slow = route.is_slow;
  auto request = std::make_shared<Request>(reader_->whole());
  request->id = request_id_;
  core.router.find(*request);  // puts the {name} into its query
  if (request->method == "HEAD") request->method = "GET";
  if (is_slow) ++core.metrics->waiting;
  const auto job = [&core, &route, request, answer, is_slow] {
    if (is_slow) --core.metrics->waiting;
    if (answer->gone()) return;
    if (is_slow) ++core.metrics->running;
    try {
      route.endpoint(*request, *answer);
    } catch (const std::exception&) {
      // Memory that ran out, or the library underneath: this answer has failed, and no other.
    }
    if (is_slow) --core.metrics->running;
    answer->returned();
  };
  job_ = (is_slow ? core.slow : core.quick).add(job);
  if (job_ == 0) {
    if (is_slow) --core.metrics->waiting;
    answer->reply(refusal_reply({503, "too many requests are waiting", "busy"}, request->path));
    send();
  }
}

void Connection::send() {
  if (phase_ == Phase::kClosed || sending_) return;
  if (answer_ && answer_->has_overflowed()) return leave("overflow");
  if (sent_ == output_.size()) {
    output_.clear();
    sent_ = 0;
    if (answer_) output_ = answer_->take();
  }
  if (output_.empty()) {
    if (answer_ && answer_->is_whole()) return finish_answer();
    return ping_later();
  }
  sending_ = true;
  stall_.expires_after(core_.limits.stall_timeout);
  stall_.async_wait([self = shared_from_this()](const Error& error) {
    if (!error && self->sending_ && self->stall_.expiry() <= SteadyClock::now()) self->leave("stalled");
  });
  socket_.async_write_some(
      asio::buffer(output_.data() + sent_, output_.size() - sent_),
      [self = shared_from_this()](const Error& error, size_t size) { self->on_sent(error, size); });
}

void Connection::on_sent(const Error& error, size_t size) {
  sending_ = false;
  stall_.cancel();
  if (phase_ == Phase::kClosed) return;
  if (error) return leave("left");
  sent_ += size;
  core_.metrics->sent_bytes += size;
  send();
}

void Connection::ping_later() {
  if (!answer_ || !answer_->is_event_stream()) return;
  ping_.expires_after(core_.limits.ping_interval);
  ping_.async_wait([self = shared_from_this()](const Error& error) {
    if (error || self->phase_ != Phase::kAnswering || !self->answer_) return;
    self->answer_->ping_after(self->core_.limits.ping_interval);
    self->send();
  });
}

void Connection::finish_answer() {
  count_request(answer_->status());
  ping_.cancel();
  const bool goes_on = answer_->keep_alive() && !core_.closing, broken = answer_->is_broken();
  answer_.reset();
  job_ = 0;
  hold_body_bytes(0);
  if (broken) return close();
  if (!goes_on) return linger();
  begin_request();
}

// --- ending

void Connection::count_request(int status) {
  // A method that no route has is whatever a client made up.
  core_.metrics->count_request(route_ ? route_->path : "other", route_ ? method_ : "other", status,
                               elapsed_seconds(request_began_));
}

void Connection::linger() {
  phase_ = Phase::kLingering;
  input_.clear();
  Error ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  expect_within(kLinger);
  read_more();
}

// 499: the status that nginx counts for clients that went away.
void Connection::leave(std::string_view why) {
  if (answer_) {
    core_.metrics->count_gone(why);
    count_request(499);
  }
  close();
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  if (answer_) {
    answer_->leave();
    if (route_ && route_->is_slow && job_ != 0 && core_.slow.take_back(job_)) --core_.metrics->waiting;
    answer_.reset();
  }
  hold_body_bytes(0);
  deadline_.cancel();
  stall_.cancel();
  ping_.cancel();
  Error ignored;
  socket_.close(ignored);
  core_.connections.erase(shared_from_this());
  core_.metrics->connections = static_cast<int64_t>(core_.connections.size());
}

void Connection::finish_soon() {
  if (phase_ == Phase::kReading || phase_ == Phase::kLingering) return close();
  if (phase_ != Phase::kAnswering || !route_ || !route_->is_slow || job_ == 0) return;
  if (!core_.slow.take_back(job_)) return;  // it runs
  --core_.metrics->waiting;
  job_ = 0;
  answer_->reply(refusal_reply({503, "the server is being stopped", "stopping"}, route_->path));
}

void Connection::cancel() { leave("stopped"); }

}  // namespace ink::server
