// What a server is told: where to listen, who may come, and how much of anything it takes. Every limit has a
// number because a limit without one is found by whoever looks for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ink::server {

struct Limits {
  size_t header_bytes = 32 << 10;  // browsers' cookies for localhost come to 4 to 8 KiB
  size_t header_count = 100;
  size_t target_bytes = 8 << 10;
  uint64_t body_bytes = 32 << 20;
  uint64_t all_bodies_bytes = 256 << 20;  // of all requests together
  size_t unread_bytes = 4 << 20;          // of a stream that the client has not taken yet
  size_t connections = 512;
  size_t waiting = 64;  // slow requests that wait for a thread; the next one gets 503

  std::chrono::milliseconds idle_timeout{75'000};    // between requests
  std::chrono::milliseconds header_timeout{10'000};  // from a request's first byte to the end of its header
  std::chrono::milliseconds body_timeout{20'000};    // for a body, and a second more for each
  uint64_t body_bytes_per_second = 16 << 10;         // so many bytes of it
  std::chrono::milliseconds stall_timeout{30'000};   // a client that takes nothing for so long is dropped
  std::chrono::milliseconds ping_interval{30'000};   // of silence in a stream of events
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, "localhost", or the path of a Unix socket (ends in .sock)
  uint16_t port = 0;               // 0: a free one
  std::vector<std::string> keys;   // empty: nobody needs one
  bool without_key = false;        // other machines may use it without a key
  std::vector<std::string> allowed_hosts;    // "inkstone.home" or "inkstone.home:8080"
  std::vector<std::string> allowed_origins;  // "https://chat.example.org", or "*"
  int quick_threads = 2;
  int slow_threads = 4;  // how many requests generate at once
  Limits limits;
};

}  // namespace ink::server
