// What all connections of one server share. Only its one thread of input and output touches this, but for the
// workers, the metrics and what is constant.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_set>

#include <boost/asio/io_context.hpp>

#include "server/access.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/router.h"
#include "server/workers.h"

namespace ink::server {

class Connection;

struct Core {
  Core(const ServerOptions& given, uint16_t port, std::vector<Route> routes, std::shared_ptr<Metrics> counts)
      : limits(given.limits),
        access(given, port),
        router(std::move(routes)),
        metrics(std::move(counts)),
        quick(static_cast<size_t>(given.quick_threads), given.limits.connections),
        slow(static_cast<size_t>(given.slow_threads), given.limits.waiting) {}

  const Limits limits;
  const Access access;
  const Router router;
  const std::shared_ptr<Metrics> metrics;
  boost::asio::io_context context{1};
  std::unordered_set<std::shared_ptr<Connection>> connections;
  uint64_t bodies_bytes = 0;  // held by requests that are read or answered
  bool closing = false;
  std::string id_prefix;
  uint64_t last_id = 0;
  Workers quick, slow;  // last: their threads end before anything that they use
};

}  // namespace ink::server
