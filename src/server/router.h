// Which endpoint answers: by method and path, exactly, or by a path that ends in one {name}.
#pragma once

#include <string>
#include <vector>

#include "server/exchange.h"

namespace ink::server {

class Router {
 public:
  // Paths that are registered twice are our mistake.
  explicit Router(std::vector<Route> routes);

  // Null: none. A {name} takes the rest of the path, slashes included: names of models have them. It is put
  // into the request's query. HEAD is answered by GET's.
  const Route* find(Request& request) const;

  // "GET, HEAD, POST": what a path can be asked with; empty when there is no such path.
  std::string methods_of(const std::string& path) const;

 private:
  const Route* matching(const std::string& method, const std::string& path) const;
  std::vector<Route> routes_;
};

}  // namespace ink::server
