// See models/gguf_vocabulary.h.
#include "models/gguf_vocabulary.h"

#include <algorithm>

#include "base/json.h"

namespace ink {

int32_t GgufVocabulary::find(std::string_view token) const {
  const auto place = std::find(tokens.begin(), tokens.end(), token);
  return place == tokens.end() ? -1 : static_cast<int32_t>(place - tokens.begin());
}

Result<GgufVocabulary> read_vocabulary(const std::string& tokenizer_json, int64_t size,
                                       const std::string& where) {
  // Not Json: its ordered objects look keys up one after the other.
  const auto json = nlohmann::json::parse(tokenizer_json, nullptr, false);
  const auto refused = [&](const char* got) {
    return Error{ErrorKind::kInvalid, where, "a tokenizer.json with model.vocab and model.merges", got, ""};
  };
  if (!json.is_object() || !json.contains("model") || !json["model"].is_object()) return refused("no model");
  const auto& model = json["model"];
  if (!model.contains("vocab") || !model["vocab"].is_object()) return refused("no vocab");
  GgufVocabulary vocabulary;
  const auto count = static_cast<size_t>(size);
  for (size_t id = 0; id < count; ++id) vocabulary.tokens.push_back("<unused_" + std::to_string(id) + ">");
  vocabulary.types.assign(count, kUnusedToken);
  const auto place = [&](const nlohmann::json& id, const std::string& token, int32_t type) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= count) return false;
    vocabulary.tokens[id.get<size_t>()] = token;
    vocabulary.types[id.get<size_t>()] = type;
    return true;
  };
  const Error too_many{ErrorKind::kTooLarge, where, "ids below " + std::to_string(size), "a larger one", ""};
  for (const auto& [token, id] : model["vocab"].items()) {
    if (!place(id, token, kNormalToken)) return too_many;
  }
  for (const auto& added : json.value("added_tokens", nlohmann::json::array())) {
    if (!added.is_object() || !added.contains("content") || !added["content"].is_string() ||
        !added.contains("id"))
      return refused("an added token without id and content");
    const bool special = added.value("special", false);
    if (!place(added["id"], added["content"].get<std::string>(), special ? kControlToken : kUserDefinedToken))
      return too_many;
  }
  for (const auto& merge : model.value("merges", nlohmann::json::array())) {
    const bool is_pair =
        merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
    if (!is_pair && !merge.is_string()) return refused("a merge that is neither text nor a pair");
    vocabulary.merges.push_back(is_pair ? merge[0].get<std::string>() + " " + merge[1].get<std::string>()
                                        : merge.get<std::string>());
  }
  return vocabulary;
}

}  // namespace ink
