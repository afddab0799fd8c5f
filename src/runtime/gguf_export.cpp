// See runtime/gguf_export.h.
#include "runtime/gguf_export.h"

#include "models/gguf_metadata.h"
#include "runtime/model_files.h"

namespace ink {
namespace {

bool says_how_tensors_are_stored(std::string_view key) {
  // The alignment is the writer's own.
  return key == "general.file_type" || key == "general.quantization_version" || key == "general.alignment" ||
         key.starts_with("quantize.") || key.starts_with("split.");
}

// Token ids by their place in config.json, or by their text in tokenizer_config.json.
class SpecialTokens {
 public:
  SpecialTokens(const Checkpoint& source, const GgufVocabulary& vocabulary) : vocabulary_(vocabulary) {
    if (auto json = source.read_json("config.json"); json.ok() && json->is_object())
      config_ = std::move(*json);
    if (auto json = source.read_json("tokenizer_config.json"); json.ok() && json->is_object())
      tokenizer_ = std::move(*json);
  }

  // `name`: "eos_token". -1: none.
  int64_t find(const std::string& name) const {
    const auto text = tokenizer_.find(name);
    if (text != tokenizer_.end() && text->is_string()) return vocabulary_.find(text->get<std::string>());
    if (text != tokenizer_.end() && text->is_object() && text->value("content", Json()).is_string())
      return vocabulary_.find((*text)["content"].get<std::string>());
    const auto id = config_.find(name + "_id");
    if (id == config_.end() || !id->is_number_integer()) return -1;
    const auto number = id->get<int64_t>();
    return number < static_cast<int64_t>(vocabulary_.tokens.size()) ? number : -1;
  }

 private:
  const GgufVocabulary& vocabulary_;
  Json config_ = Json::object();
  Json tokenizer_ = Json::object();
};

void add_sampling(GgufWriter& writer, const Checkpoint& source) {
  if (!source.read_json("generation_config.json").ok()) return;
  const SamplingOptions sampling = read_generation_defaults(source, nullptr).sampling;
  writer.add_number("general.sampling.temp", sampling.temperature);
  writer.add_number("general.sampling.top_k", sampling.top_k);
  writer.add_number("general.sampling.top_p", sampling.top_p);
  writer.add_number("general.sampling.min_p", sampling.min_p);
  writer.add_number("general.sampling.penalty_repeat", sampling.repeat_penalty);
}

// The classes of a classifier by name, in the order of its rows. A file for ranking has "yes" first where
// nothing is said, a binary classifier of safetensors "yes" second.
void add_labels(GgufWriter& writer, const Checkpoint& source, const ModelConfig& config) {
  if (config.head != ModelConfig::Head::kClasses) return;
  const auto json = source.read_json("config.json");
  const Json named = json.ok() && json->is_object() ? json->value("id2label", Json()) : Json();
  std::vector<std::string> labels;
  for (int64_t i = 0; i < config.num_labels; ++i) {
    const std::string key = std::to_string(i);
    const bool has_name = named.is_object() && named.contains(key) && named[key].is_string();
    labels.push_back(has_name ? named[key].get<std::string>() : "LABEL_" + key);
  }
  if (labels == std::vector<std::string>{"LABEL_0", "LABEL_1"}) labels = {"no", "yes"};
  writer.add_strings(config.architecture + ".classifier.output_labels", labels);
}

Status add_tokenizer(GgufWriter& writer, const Checkpoint& source, const ModelConfig& config) {
  const auto text = source.read_text("tokenizer.json");
  if (!text.ok()) return text.error().kind == ErrorKind::kNotFound ? Status(Done{}) : Status(text.error());
  if (const auto tokenizer = read_tokenizer(source); !tokenizer.ok()) return tokenizer.error();
  const auto vocabulary = read_vocabulary(*text, config.vocab_size, source.name() + ": tokenizer.json");
  if (!vocabulary.ok()) return vocabulary.error();
  add_vocabulary(writer, *vocabulary);
  const SpecialTokens special(source, *vocabulary);
  for (const auto& [name, key] :
       {std::pair{"bos_token", "bos"}, {"eos_token", "eos"}, {"pad_token", "padding"}}) {
    const int64_t id = special.find(name);
    if (id >= 0)
      writer.add_number(std::string("tokenizer.ggml.") + key + "_token_id", static_cast<uint32_t>(id));
  }
  writer.add_bool("tokenizer.ggml.add_bos_token", false);
  if (const std::string chat = read_chat_template(source); !chat.empty())
    writer.add_string("tokenizer.chat_template", chat);
  return Done{};
}

}  // namespace

Status add_model_metadata(GgufWriter& writer, const Checkpoint& source, const ModelConfig& config) {
  if (source.format() == CheckpointFormat::kGguf) {
    for (const EncodedMeta& entry : source.encoded_metadata()) {
      if (!says_how_tensors_are_stored(entry.key)) writer.add_encoded(entry);
    }
    return Done{};
  }
  writer.add_string("general.architecture", config.architecture);
  writer.add_string("general.type", "model");
  writer.add_string("general.name", source.name());
  if (const std::string license = read_license(source); !license.empty())
    writer.add_string("general.license", license);
  add_hyperparameters(writer, config);
  add_labels(writer, source, config);
  add_sampling(writer, source);
  return add_tokenizer(writer, source, config);
}

}  // namespace ink
