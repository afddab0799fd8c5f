// GET /v1/models and /v1/models/{id}.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "services/library/library.h"

namespace ink::openai {

Json models_json(const std::vector<FoundModel>& models, int64_t created);
// Null when there is none of this name.
Json model_json(const std::vector<FoundModel>& models, const std::string& name, int64_t created);

}  // namespace ink::openai
