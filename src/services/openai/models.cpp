// See services/openai/models.h.
#include "services/openai/models.h"

namespace ink::openai {

Json model_json(const FoundModel& model, int64_t created) {
  return {{"id", model.name},
          {"object", "model"},
          {"created", created},
          {"owned_by", "local"},
          {"meta", {{"format", model.format}, {"place", model.place}, {"size_bytes", model.bytes}}}};
}

Json models_json(const std::vector<FoundModel>& models, int64_t created) {
  Json data = Json::array();
  for (const FoundModel& model : models) data.push_back(model_json(model, created));
  return {{"object", "list"}, {"data", std::move(data)}};
}

}  // namespace ink::openai
