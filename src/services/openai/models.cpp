// See services/openai/models.h.
#include "services/openai/models.h"

namespace ink::openai {
namespace {

Json entry_json(const FoundModel& model, int64_t created) {
  return {{"id", model.name},
          {"object", "model"},
          {"created", created},
          {"owned_by", "local"},
          {"meta", {{"format", model.format}, {"place", model.place}, {"size_bytes", model.bytes}}}};
}

}  // namespace

Json models_json(const std::vector<FoundModel>& models, int64_t created) {
  Json data = Json::array();
  for (const FoundModel& model : models) data.push_back(entry_json(model, created));
  return {{"object", "list"}, {"data", std::move(data)}};
}

Json model_json(const std::vector<FoundModel>& models, const std::string& name, int64_t created) {
  for (const FoundModel& model : models) {
    if (model.name == name) return entry_json(model, created);
  }
  return nullptr;
}

}  // namespace ink::openai
