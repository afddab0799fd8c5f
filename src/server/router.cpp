// See server/router.h.
#include "server/router.h"

#include "base/check.h"

namespace ink::server {
namespace {

// "/v1/models/" of "/v1/models/{id}"; empty for a path without a {name}.
std::string fixed_part(const std::string& path) {
  return path.ends_with('}') ? path.substr(0, path.rfind('{')) : std::string();
}

bool matches(const Route& route, const std::string& path) {
  if (route.path == path) return true;
  const std::string fixed = fixed_part(route.path);
  return !fixed.empty() && path.size() > fixed.size() && path.starts_with(fixed);
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (size_t i = 0; i < routes_.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      INK_CHECK(routes_[i].path != routes_[j].path || routes_[i].method != routes_[j].method,
                "two routes for one path");
}

const Route* Router::matching(const std::string& method, const std::string& path) const {
  const Route* found = nullptr;
  for (const Route& route : routes_) {
    if (route.method != method || !matches(route, path)) continue;
    if (route.path == path) return &route;
    if (!found || found->path.size() < route.path.size()) found = &route;
  }
  return found;
}

const Route* Router::find(Request& request) const {
  const Route* route = matching(request.method, request.path);
  if (!route && request.method == "HEAD") route = matching("GET", request.path);
  if (route && route->path != request.path) {
    const std::string fixed = fixed_part(route->path);
    request.query[route->path.substr(fixed.size() + 1, route->path.size() - fixed.size() - 2)] =
        request.path.substr(fixed.size());
  }
  return route;
}

std::string Router::methods_of(const std::string& path) const {
  std::string methods;
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    if (!matching(method, path)) continue;
    methods += std::string(methods.empty() ? "" : ", ") + method;
    if (std::string_view(method) == "GET") methods += ", HEAD";
  }
  return methods;
}

}  // namespace ink::server
