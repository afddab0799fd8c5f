// GET /v1/models and /v1/models/{id}.
#pragma once

#include <vector>

#include "base/json.h"
#include "services/library/library.h"

namespace ink::openai {

Json models_json(const std::vector<FoundModel>& models, int64_t created);
Json model_json(const FoundModel& model, int64_t created);

}  // namespace ink::openai
