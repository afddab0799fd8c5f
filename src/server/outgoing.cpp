// See server/outgoing.h.
#include "server/outgoing.h"

#include <boost/beast/http/status.hpp>
#include <cstdio>
#include <ctime>

#include "base/check.h"
#include "base/utf8.h"

namespace ink::server {
namespace {

constexpr std::string_view kCommonHeaders[][2] = {
    {"x-content-type-options", "nosniff"},
    {"referrer-policy", "no-referrer"},
    {"cross-origin-resource-policy", "same-origin"},
    {"x-frame-options", "DENY"},
    {"cache-control", "no-store"},
    {"content-security-policy", "default-src 'none'; frame-ancestors 'none'"},
};

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[40];
  // Not strftime: names of days and months must not follow the locale.
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::snprintf(text, sizeof text, "%s, %02d %s %d %02d:%02d:%02d GMT", kDays[parts.tm_wday % 7],
                parts.tm_mday, kMonths[parts.tm_mon % 12], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                parts.tm_sec);
  return text;
}

void put_field(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ");
  for (const char c : value) text += static_cast<unsigned char>(c) < ' ' || c == 127 ? ' ' : c;
  text += "\r\n";
}

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

Outgoing::Outgoing(Manner manner, std::function<void()> wake)
    : manner_(std::move(manner)), wake_(std::move(wake)), keep_alive_(manner_.keep_alive) {}

void Outgoing::put_head(int status, const std::string& content_type,
                        std::map<std::string, std::string> headers) {
  status_ = status;
  for (const auto& [name, value] : manner_.headers) headers.try_emplace(name, value);
  for (const auto& [name, value] : kCommonHeaders) headers.try_emplace(std::string(name), value);
  headers["date"] = http_date();
  headers["connection"] = keep_alive_ ? "keep-alive" : "close";
  if (!content_type.empty() && has_body(status)) headers["content-type"] = content_type;
  const std::string_view reason =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  pending_ += "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason) + "\r\n";
  for (const auto& [name, value] : headers) put_field(pending_, name, value);
  pending_ += "\r\n";
}

void Outgoing::put_chunk(std::string_view bytes) {
  if (manner_.head_only || bytes.empty()) return;
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  if (manner_.can_chunk) pending_ += size;
  pending_ += bytes;
  if (manner_.can_chunk) pending_ += "\r\n";
  last_said_ = std::chrono::steady_clock::now();
}

// One wake is enough for everything that is said before the connection comes to take it.
void Outgoing::tell() {
  {
    const std::lock_guard lock(mutex_);
    if (told_) return;
    told_ = true;
  }
  wake_();
}

void Outgoing::reply(Reply reply) {
  {
    const std::lock_guard lock(mutex_);
    INK_CHECK(status_ == 0, "an endpoint answered twice");
    if (has_body(reply.status)) reply.headers["content-length"] = std::to_string(reply.body.size());
    put_head(reply.status, reply.content_type, std::move(reply.headers));
    if (!manner_.head_only && has_body(reply.status)) pending_ += reply.body;
    ended_ = true;
  }
  tell();
}

void Outgoing::begin(int status, std::string content_type) {
  {
    const std::lock_guard lock(mutex_);
    INK_CHECK(status_ == 0, "an endpoint answered twice");
    std::map<std::string, std::string> headers;
    if (manner_.can_chunk)
      headers["transfer-encoding"] = "chunked";
    else
      keep_alive_ = false;
    headers["x-accel-buffering"] = "no";  // a proxy before us must not collect a stream
    is_events_ = content_type.starts_with("text/event-stream");
    put_head(status, content_type, std::move(headers));
    streams_ = true;
    last_said_ = std::chrono::steady_clock::now();
  }
  tell();
}

bool Outgoing::write(std::string_view bytes) {
  if (gone_) return false;
  {
    const std::lock_guard lock(mutex_);
    INK_CHECK(streams_ && !ended_, "an endpoint wrote outside of a stream");
    if (pending_.size() + in_flight_ + bytes.size() > manner_.unread_bytes) {
      overflowed_ = true;
      gone_ = true;
    } else {
      put_chunk(bytes);
      if (!bytes.empty()) between_events_ = bytes.ends_with("\n\n");
    }
  }
  tell();
  return !gone_;
}

void Outgoing::end() {
  {
    const std::lock_guard lock(mutex_);
    INK_CHECK(streams_ && !ended_, "an endpoint ended what it had not begun");
    if (manner_.can_chunk && !manner_.head_only) pending_ += "0\r\n\r\n";
    ended_ = true;
  }
  tell();
}

void Outgoing::returned() {
  bool said_nothing = false;
  {
    const std::lock_guard lock(mutex_);
    said_nothing = status_ == 0;
    if (streams_ && !ended_) broken_ = ended_ = true;
  }
  if (said_nothing)
    reply(
        {500,
         "application/json",
         R"({"error":{"message":"the server failed","type":"server_error","param":null,"code":"internal_error"}})",
         {}});
  else
    tell();
}

std::string Outgoing::take() {
  const std::lock_guard lock(mutex_);
  told_ = false;
  std::string taken;
  taken.swap(pending_);
  in_flight_ = taken.size();
  return taken;
}

bool Outgoing::is_whole() const {
  const std::lock_guard lock(mutex_);
  return ended_ && pending_.empty();
}

bool Outgoing::is_broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

bool Outgoing::has_overflowed() const {
  const std::lock_guard lock(mutex_);
  return overflowed_;
}

bool Outgoing::keep_alive() const {
  const std::lock_guard lock(mutex_);
  return keep_alive_ && !broken_;
}

int Outgoing::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool Outgoing::is_event_stream() const {
  const std::lock_guard lock(mutex_);
  return is_events_ && !ended_;
}

void Outgoing::ping_after(std::chrono::milliseconds silence) {
  const std::lock_guard lock(mutex_);
  if (!is_events_ || ended_ || !between_events_) return;
  if (std::chrono::steady_clock::now() - last_said_ < silence) return;
  put_chunk(": ping\n\n");
}

}  // namespace ink::server
