// What the endpoints share, beside the models.
#pragma once

#include <memory>
#include <string>

#include "server/metrics.h"
#include "services/openai/response_store.h"

namespace ink::server {

struct ApiState {
  std::shared_ptr<Metrics> metrics;  // may be null
  openai::ResponseStore responses;
  bool explain_cache = false;  // every answer says where its prompt diverged from what was kept
  std::string version;         // of the program
};

}  // namespace ink::server
