// See services/ollama/models.h.
#include "services/ollama/models.h"

#include "services/ollama/chat.h"
#include "services/wire/fields.h"

namespace ink::ollama {
namespace {

constexpr size_t kMaxInputs = 2048;

std::string parameter_size(uint64_t parameters) {
  char text[32];
  const auto count = static_cast<double>(parameters);
  std::snprintf(text, sizeof text, count >= 1e9 ? "%.1fB" : "%.1fM", count / (count >= 1e9 ? 1e9 : 1e6));
  return text;
}

Json details_json(const std::string& format, const std::string& family, const std::string& size,
                  const std::string& quantization) {
  return {{"parent_model", ""},     {"format", format},
          {"family", family},       {"families", Json::array({family})},
          {"parameter_size", size}, {"quantization_level", quantization}};
}

std::string sampling_text(const SamplingOptions& sampling) {
  char text[160];
  std::snprintf(text, sizeof text, "temperature %g\ntop_k %d\ntop_p %g\nmin_p %g\nrepeat_penalty %g",
                static_cast<double>(sampling.temperature), sampling.top_k,
                static_cast<double>(sampling.top_p), static_cast<double>(sampling.min_p),
                static_cast<double>(sampling.repeat_penalty));
  return text;
}

// In Ollama's words, which has none for a ranker.
Json capabilities_of(const ModelSummary& summary) {
  Json list = Json::array();
  if (!summary.has_tokenizer) return list;
  if (summary.config.head == ModelConfig::Head::kNone) list.push_back("embedding");
  if (summary.config.head != ModelConfig::Head::kVocabulary) return list;
  list.push_back("completion");
  list.push_back("tools");
  if (chat_traits(summary.chat_format.format).can_think) list.push_back("thinking");
  return list;
}

}  // namespace

Json tags_json(const std::vector<ListedModel>& models) {
  Json list = Json::array();
  for (const ListedModel& one : models) {
    list.push_back({{"name", one.model.name},
                    {"model", one.model.name},
                    {"modified_at", wire::utc_time(one.modified_unix_seconds)},
                    {"size", one.model.bytes},
                    {"digest", ""},
                    {"details", details_json(one.model.format, "qwen3", "", "")}});
  }
  return {{"models", std::move(list)}};
}

Json ps_json(const std::vector<LoadedModelInfo>& loaded) {
  Json list = Json::array();
  for (const LoadedModelInfo& one : loaded) {
    Json json{{"name", one.name}, {"model", one.name}, {"size", one.bytes},
              {"digest", ""},     {"size_vram", 0},    {"in_use", one.in_use}};
    // Year 9999: stays loaded for good.
    const int64_t expires = one.expires ? std::chrono::system_clock::to_time_t(*one.expires) : 253370764800;
    json["expires_at"] = wire::utc_time(expires);
    json["details"] = details_json("", "qwen3", "", "");
    list.push_back(std::move(json));
  }
  return {{"models", std::move(list)}};
}

Result<std::string> parse_show(const Json& body) {
  std::string name;
  wire::Fields fields(body, "");
  fields.text("name", name);
  fields.text("model", name);
  if (fields.ok() && name.empty()) fields.needed("model", "the name of a model");
  if (!fields.ok()) return fields.error();
  return name;
}

Json show_json(const ListedModel& listed, const ModelSummary& summary) {
  const ModelConfig& config = summary.config;
  const std::string architecture = "qwen3";
  Json json{{"license", summary.license},
            {"modelfile", ""},
            {"parameters", sampling_text(summary.defaults.sampling)},
            {"template", chat_traits(summary.chat_format.format).name},
            {"details", details_json(listed.model.format, architecture, parameter_size(summary.parameters),
                                     summary.file_type)},
            {"capabilities", capabilities_of(summary)},
            {"modified_at", wire::utc_time(listed.modified_unix_seconds)}};
  json["model_info"] = {{"general.architecture", architecture},
                        {"general.basename", summary.name},
                        {"general.parameter_count", summary.parameters},
                        {architecture + ".context_length", summary.context_tokens},
                        {architecture + ".embedding_length", config.hidden_size},
                        {architecture + ".vocab_size", config.vocab_size}};
  return json;
}

Result<EmbedCall> parse_embed(const Json& body) {
  EmbedCall call;
  call.request.truncate = true;  // as this wire has it
  wire::Fields fields(body, "");
  fields.text("model", call.model);
  fields.flag("truncate", call.request.truncate);
  fields.text("instruction", call.request.instruction);
  wire::read_keep_alive(fields, call.keep_alive);
  int64_t dimensions = 0;
  fields.integer("dimensions", 0, INT32_MAX, dimensions);
  if (dimensions > 0) call.request.dimensions = dimensions;
  const Json& input = fields.needed("input", "a text or an array of texts");
  if (!fields.ok()) return fields.error();
  const Json list = input.is_array() ? input : Json::array({input});
  if (list.size() > kMaxInputs) {
    return Error{ErrorKind::kInvalid, "input", "at most " + std::to_string(kMaxInputs) + " texts",
                 std::to_string(list.size()), ""};
  }
  for (const Json& one : list) {
    if (!one.is_string()) return wire::wrong("input", "a text or an array of texts", one);
    call.request.inputs.emplace_back(one.get<std::string>());
  }
  return call;
}

Json embed_json(const Embeddings& embeddings, const std::string& model, double seconds, double load_seconds) {
  return {{"model", model},
          {"embeddings", embeddings.vectors},
          {"total_duration", static_cast<int64_t>((seconds + load_seconds) * 1e9)},
          {"load_duration", static_cast<int64_t>(load_seconds * 1e9)},
          {"prompt_eval_count", embeddings.prompt_tokens}};
}

}  // namespace ink::ollama
