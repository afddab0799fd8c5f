// The page, and what else the server answers by itself: "Inkstone is running" for programs that look whether
// anybody is there, the counts, and the description of the API.
#pragma once

#include <memory>
#include <vector>

#include "server/embedded.h"
#include "server/exchange.h"
#include "server/metrics.h"

namespace ink::server {

// Needs no key: the page asks for it. Nothing of it may load or send anything elsewhere. Without files only
// GET / is there, and answers in plain text.
std::vector<Route> page_routes(const std::vector<embedded::File>& files);

Route metrics_route(std::shared_ptr<const Metrics> metrics);
Route openapi_route();

}  // namespace ink::server
