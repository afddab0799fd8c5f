// The served description names exactly the endpoints that there are.
#include <gtest/gtest.h>

#include <set>

#include "base/json.h"
#include "base/utf8.h"
#include "server/api/routes.h"
#include "server/page.h"

namespace ink::server {
namespace {

TEST(OpenApi, DescribesWhatIsThere) {
  ModelLibrary library({});
  ApiState state;
  state.metrics = std::make_shared<Metrics>();
  std::vector<Route> routes = api_routes(library, state);
  routes.push_back(metrics_route(state.metrics));
  routes.push_back(openapi_route());
  // Other names for what is described already.
  const std::set<std::string> also_known = {"GET /v1/health", "POST /rerank"};
  std::set<std::string> there, described;
  for (const Route& route : routes)
    if (const std::string name = route.method + " " + route.path; !also_known.contains(name))
      there.insert(name);
  const Json document = Json::parse(embedded::openapi());
  for (const auto& [path, operations] : document["paths"].items())
    for (const auto& [method, operation] : operations.items()) {
      std::string upper;
      for (const char c : method) upper += static_cast<char>(c - 'a' + 'A');
      described.insert(upper + " " + path);
    }
  EXPECT_EQ(there, described);
}

}  // namespace
}  // namespace ink::server
