// See services/retrieval/ranking_head.h.
#include "services/retrieval/ranking_head.h"

#include <cmath>
#include <optional>
#include <string>

#include "base/utf8.h"

namespace ink {
namespace {

using Head = ModelConfig::Head;

std::vector<float> head_row(const Engine& engine, int64_t row) {
  std::vector<float> values(static_cast<size_t>(engine.config().hidden_size));
  engine.model().read_head_row(row, values.data());
  return values;
}

Error no_ranker(const Engine& engine, const std::string& wanted, const std::string& got) {
  return Error{ErrorKind::kUnsupported, engine.checkpoint().name(), wanted, got,
               "a Qwen3-Reranker ranks documents"};
}

std::optional<int32_t> single_token(const Tokenizer& tokenizer, const std::string& word) {
  const std::vector<int32_t> ids = tokenizer.encode(word);
  return ids.size() == 1 ? std::optional(ids.front()) : std::nullopt;
}

// What the files call class `number`: config.json's id2label, or the names in a GGUF file.
std::string class_name(const Checkpoint& checkpoint, const std::string& architecture, size_t number) {
  if (checkpoint.format() == CheckpointFormat::kGguf) {
    const MetaArray* array = checkpoint.meta_array(architecture + ".classifier.output_labels");
    const auto* names = array != nullptr ? std::get_if<std::vector<std::string_view>>(array) : nullptr;
    return names != nullptr && number < names->size() ? ascii_lower(std::string((*names)[number])) : "";
  }
  const auto config = checkpoint.read_json("config.json");
  if (!config.ok() || !config->is_object()) return "";
  const Json names = config->value("id2label", Json());
  const std::string key = std::to_string(number);
  return names.is_object() && names.contains(key) && names[key].is_string()
             ? ascii_lower(names[key].get<std::string>())
             : "";
}

// Which of two classes is "yes". Where no name says it: a GGUF file has it first (llama.cpp takes that row's
// share), a safetensors classifier has it at 1, as binary classes are numbered.
int64_t class_of_yes(const Engine& engine) {
  const Checkpoint& checkpoint = engine.checkpoint();
  for (size_t number = 0; number < 2; ++number) {
    const std::string name = class_name(checkpoint, engine.config().architecture, number);
    if (name == "yes") return static_cast<int64_t>(number);
    if (name == "no") return static_cast<int64_t>(1 - number);
  }
  return checkpoint.format() == CheckpointFormat::kGguf ? 0 : 1;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

Result<RankingHead> RankingHead::create(const Engine& engine) {
  const ModelConfig& config = engine.config();
  if (config.head == Head::kNone)
    return no_ranker(engine, "a head with yes and no", "a model for embeddings, without one");
  if (config.head == Head::kClasses) {
    if (config.num_labels > 2)
      return no_ranker(engine, "one or two classes", std::to_string(config.num_labels));
    RankingHead head;
    if (config.num_labels == 1) {
      head.yes_ = head_row(engine, 0);
    } else {
      const int64_t yes = class_of_yes(engine);
      head.yes_ = head_row(engine, yes);
      head.no_ = head_row(engine, 1 - yes);
    }
    return head;
  }
  if (engine.tokenizer() == nullptr) return no_ranker(engine, "a tokenizer", "none");
  const auto yes = single_token(*engine.tokenizer(), "yes");
  const auto no = single_token(*engine.tokenizer(), "no");
  if (!yes || !no) return no_ranker(engine, "single tokens \"yes\" and \"no\"", "none in its vocabulary");
  return create(engine, *yes, *no);
}

Result<RankingHead> RankingHead::create(const Engine& engine, int32_t yes, int32_t no) {
  const ModelConfig& config = engine.config();
  const auto is_token = [&](int32_t id) { return id >= 0 && id < config.vocab_size; };
  if (config.head != Head::kVocabulary || !is_token(yes) || !is_token(no))
    return no_ranker(engine, "the tokens yes and no", "none");
  RankingHead head;
  head.yes_ = head_row(engine, yes);
  head.no_ = head_row(engine, no);
  return head;
}

float RankingHead::score(std::span<const float> state) const {
  const double no = no_.empty() ? 0.0 : dot(state, no_);
  return static_cast<float>(1.0 / (1.0 + std::exp(no - dot(state, yes_))));
}

}  // namespace ink
