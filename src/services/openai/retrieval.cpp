// See services/openai/retrieval.h.
#include "services/openai/retrieval.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "services/wire/fields.h"

namespace ink::openai {
namespace {

bool is_numbers(const Json& value) { return value.is_array() && !value.empty() && value[0].is_number(); }

Result<EmbeddingInput> one_input(const Json& value, const std::string& where) {
  if (value.is_string()) {
    if (value.get_ref<const std::string&>().empty())
      return Error{ErrorKind::kInvalid, where, "a text", "an empty one", ""};
    return EmbeddingInput(value.get<std::string>());
  }
  if (!is_numbers(value)) return wire::wrong(where, "a text or token ids", value);
  std::vector<int32_t> ids;
  for (const Json& item : value) {
    if (!item.is_number_unsigned() || item.get<uint64_t>() > INT32_MAX)
      return wire::wrong(where, "token ids", item);
    ids.push_back(static_cast<int32_t>(item.get<uint64_t>()));
  }
  return EmbeddingInput(std::move(ids));
}

void read_inputs(wire::Fields& fields, std::vector<EmbeddingInput>& inputs) {
  const Json& input = fields.needed("input", "a text or an array of texts");
  if (!fields.ok()) return;
  const bool several = input.is_array() && !is_numbers(input);
  const Json list = several ? input : Json::array({input});
  if (list.empty() || list.size() > kMaxInputs) {
    return fields.fail({ErrorKind::kInvalid, "input", "1 to " + std::to_string(kMaxInputs) + " texts",
                        std::to_string(list.size()), ""});
  }
  for (size_t i = 0; i < list.size(); ++i) {
    auto one = one_input(list[i], several ? "input[" + std::to_string(i) + "]" : "input");
    if (!one.ok()) return fields.fail(one.error());
    inputs.push_back(std::move(*one));
  }
}

std::string little_endian(const std::vector<float>& vector) {
  std::string bytes;
  bytes.reserve(vector.size() * 4);
  for (const float value : vector) {
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>((bits >> shift) & 0xFF));
  }
  return bytes;
}

void read_documents(wire::Fields& fields, std::vector<std::string>& documents) {
  fields.needed("documents", "an array of texts");
  const Json* list = fields.array("documents");
  if (list == nullptr) return;
  if (list->empty() || list->size() > kMaxInputs) {
    return fields.fail({ErrorKind::kInvalid, "documents", "1 to " + std::to_string(kMaxInputs) + " texts",
                        std::to_string(list->size()), ""});
  }
  for (size_t i = 0; i < list->size(); ++i) {
    const Json& one = (*list)[i];
    const Json text = one.is_object() ? one.value("text", Json()) : one;
    if (!text.is_string())
      return fields.fail(wire::wrong("documents[" + std::to_string(i) + "]", "a text or {\"text\": …}", one));
    documents.push_back(text.get<std::string>());
  }
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0u);
    for (size_t k = 0; k < 4; ++k) text += k <= group.size() ? kDigits[(bits >> (18 - 6 * k)) & 63] : '=';
  }
  return text;
}

Result<EmbeddingCall> parse_embedding(const Json& body) {
  EmbeddingCall call;
  wire::Fields fields(body, "");
  fields.text("model", call.model);
  read_inputs(fields, call.request.inputs);
  fields.text("instruction", call.request.instruction);
  fields.flag("truncate", call.request.truncate);
  int64_t dimensions = 0;
  fields.integer("dimensions", 1, INT32_MAX, dimensions);
  if (dimensions > 0) call.request.dimensions = dimensions;
  std::string encoding = "float";
  fields.text("encoding_format", encoding);
  call.base64 = encoding == "base64";
  if (fields.ok() && !call.base64 && encoding != "float")
    fields.fail(wire::wrong("encoding_format", "float or base64", Json(encoding)));
  wire::read_keep_alive(fields, call.keep_alive);
  if (!fields.ok()) return fields.error();
  return call;
}

Json embedding_reply(const EmbeddingCall& call, const Embeddings& embeddings, const std::string& model) {
  Json data = Json::array();
  for (size_t i = 0; i < embeddings.vectors.size(); ++i) {
    const std::vector<float>& vector = embeddings.vectors[i];
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", nullptr}});
    data.back()["embedding"] = call.base64 ? Json(base64(little_endian(vector))) : Json(vector);
  }
  return {
      {"object", "list"},
      {"data", std::move(data)},
      {"model", model},
      {"usage", {{"prompt_tokens", embeddings.prompt_tokens}, {"total_tokens", embeddings.prompt_tokens}}}};
}

Result<RerankCall> parse_rerank(const Json& body) {
  RerankCall call;
  wire::Fields fields(body, "");
  fields.text("model", call.model);
  fields.needed("query", "a text");
  fields.text("query", call.request.query);
  read_documents(fields, call.request.documents);
  fields.text("instruction", call.request.instruction);
  fields.flag("truncate", call.request.truncate);
  fields.flag("return_documents", call.return_documents);
  int64_t top_n = INT32_MAX;
  fields.integer("top_n", 1, INT32_MAX, top_n);
  call.top_n = static_cast<size_t>(top_n);
  wire::read_keep_alive(fields, call.keep_alive);
  if (!fields.ok()) return fields.error();
  return call;
}

Json rerank_reply(const RerankCall& call, const Ranking& ranking, const std::string& model,
                  const std::string& id) {
  std::vector<size_t> order(ranking.scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Equal scores keep the order of the documents.
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return ranking.scores[a] > ranking.scores[b]; });
  order.resize(std::min(order.size(), call.top_n));
  Json results = Json::array();
  for (const size_t index : order) {
    results.push_back({{"index", index}, {"relevance_score", ranking.scores[index]}});
    if (call.return_documents) results.back()["document"] = {{"text", call.request.documents[index]}};
  }
  return {{"id", "rerank-" + id},
          {"model", model},
          {"results", std::move(results)},
          {"usage", {{"prompt_tokens", ranking.prompt_tokens}, {"total_tokens", ranking.prompt_tokens}}}};
}

}  // namespace ink::openai
