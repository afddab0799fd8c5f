// What Ollama's clients ask about models: /api/tags, /api/show, /api/ps, /api/version; and /api/embed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "runtime/engine.h"
#include "services/library/library.h"
#include "services/retrieval/retrieval.h"
#include "services/wire/writer.h"

namespace ink::ollama {

struct ListedModel {
  FoundModel model;
  int64_t modified_unix_seconds = 0;
};
Json tags_json(const std::vector<ListedModel>& models);

Json ps_json(const std::vector<LoadedModelInfo>& loaded);

// {"model"} or its older {"name"}.
Result<std::string> parse_show(const Json& body);
// What a chat template is called here stands in its place: no template is run.
Json show_json(const ListedModel& listed, const ModelSummary& summary);

struct EmbedCall {
  std::string model;
  EmbeddingRequest request;
  std::optional<std::chrono::milliseconds> keep_alive;
};
Result<EmbedCall> parse_embed(const Json& body);
Json embed_json(const Embeddings& embeddings, const std::string& model, double seconds, double load_seconds);

}  // namespace ink::ollama
