// See runtime/model_files.h.
#include "runtime/model_files.h"

#include <algorithm>
#include <optional>

#include "models/gguf_vocabulary.h"

namespace ink {
namespace {

Result<Tokenizer> gguf_tokenizer(const Checkpoint& checkpoint) {
  const std::string where = checkpoint.name() + ": tokenizer.ggml";
  const auto model = checkpoint.meta_string("tokenizer.ggml.model");
  if (!model) return Error{ErrorKind::kNotFound, where, "", "the file has no tokenizer", ""};
  if (*model != "gpt2")
    return Error{ErrorKind::kUnsupported, where + ".model", "gpt2", std::string(*model), ""};
  VocabularyView vocabulary;
  const auto pre = checkpoint.meta_string("tokenizer.ggml.pre").value_or("qwen2");
  if (pre == "qwen35") {
    vocabulary.pre = PreTokenizer::kQwen35;
  } else if (pre != "qwen2") {
    return Error{ErrorKind::kUnsupported, where + ".pre", "qwen2 or qwen35", std::string(pre), ""};
  }
  const MetaArray* tokens = checkpoint.meta_array("tokenizer.ggml.tokens");
  const MetaArray* merges = checkpoint.meta_array("tokenizer.ggml.merges");
  const auto* token_texts = tokens ? std::get_if<std::vector<std::string_view>>(tokens) : nullptr;
  const auto* merge_texts = merges ? std::get_if<std::vector<std::string_view>>(merges) : nullptr;
  if (token_texts == nullptr || merge_texts == nullptr) {
    return Error{ErrorKind::kInvalid, where, "arrays of strings tokens and merges", "something else", ""};
  }
  std::vector<std::string_view> texts = *token_texts;
  std::vector<AddedToken> added;
  const MetaArray* types = checkpoint.meta_array("tokenizer.ggml.token_type");
  if (const auto* kinds = types ? std::get_if<std::vector<int64_t>>(types) : nullptr) {
    for (size_t id = 0; id < std::min(kinds->size(), texts.size()); ++id) {
      const int64_t kind = (*kinds)[id];
      if (kind == kUnusedToken) texts[id] = {};  // "[PAD151646]": a hole with a name
      if (kind != kControlToken && kind != kUserDefinedToken) continue;
      added.push_back({static_cast<int32_t>(id), std::string(texts[id]), kind == kControlToken});
    }
  }
  vocabulary.tokens = texts;
  vocabulary.merges = *merge_texts;
  vocabulary.added = added;
  return Tokenizer::from_vocabulary(vocabulary, where);
}

// The model cards' values, for files that say nothing themselves.
SamplingOptions recommended_sampling(ChatFormat format) {
  SamplingOptions sampling;
  const bool thinks = chat_traits(format).can_think;
  sampling.temperature = thinks ? 0.6f : 0.7f;
  sampling.top_p = thinks ? 0.95f : 0.8f;
  sampling.top_k = 20;
  sampling.min_p = 0.0f;
  return sampling;
}

void read_json_sampling(const Json& json, SamplingOptions& sampling) {
  const auto number = [&](const char* key, float& value) {
    if (json.contains(key) && json[key].is_number()) value = json[key].get<float>();
  };
  // transformers samples only when do_sample says so.
  const bool samples =
      json.contains("do_sample") && json["do_sample"].is_boolean() && json["do_sample"].get<bool>();
  sampling.temperature = samples ? 1.0f : 0.0f;
  sampling.top_p = 1.0f;
  sampling.min_p = 0.0f;
  if (samples) number("temperature", sampling.temperature);
  number("top_p", sampling.top_p);
  number("min_p", sampling.min_p);
  number("repetition_penalty", sampling.repeat_penalty);
  if (json.contains("top_k") && json["top_k"].is_number_integer())
    sampling.top_k = json["top_k"].get<int32_t>();
}

void read_gguf_sampling(const Checkpoint& checkpoint, SamplingOptions& sampling) {
  const auto number = [&](const char* key, float& value) {
    if (const auto found = checkpoint.meta_float(std::string("general.sampling.") + key)) {
      value = static_cast<float>(*found);
    }
  };
  number("temp", sampling.temperature);
  number("top_p", sampling.top_p);
  number("min_p", sampling.min_p);
  number("penalty_repeat", sampling.repeat_penalty);
  if (const auto top_k = checkpoint.meta_int("general.sampling.top_k"))
    sampling.top_k = static_cast<int32_t>(*top_k);
  if (const auto last_n = checkpoint.meta_int("general.sampling.penalty_last_n")) {
    sampling.penalty_last_n = static_cast<int32_t>(*last_n);
  }
}

void add_stop(std::vector<int32_t>& stops, std::optional<int64_t> id) {
  if (!id || *id < 0 || *id > INT32_MAX) return;
  if (std::find(stops.begin(), stops.end(), static_cast<int32_t>(*id)) == stops.end()) {
    stops.push_back(static_cast<int32_t>(*id));
  }
}

void add_json_stops(const Json& json, std::vector<int32_t>& stops) {
  const auto found = json.find("eos_token_id");
  if (found == json.end()) return;
  if (found->is_number_integer()) add_stop(stops, found->get<int64_t>());
  if (!found->is_array()) return;
  for (const Json& id : *found) {
    if (id.is_number_integer()) add_stop(stops, id.get<int64_t>());
  }
}

}  // namespace

Result<Tokenizer> read_tokenizer(const Checkpoint& checkpoint) {
  if (checkpoint.format() == CheckpointFormat::kGguf) return gguf_tokenizer(checkpoint);
  const auto text = checkpoint.read_text("tokenizer.json");
  if (!text.ok()) return text.error();
  return Tokenizer::from_json(*text, checkpoint.name() + ": tokenizer.json");
}

std::string read_chat_template(const Checkpoint& checkpoint) {
  if (checkpoint.format() == CheckpointFormat::kGguf) {
    return std::string(checkpoint.meta_string("tokenizer.chat_template").value_or(""));
  }
  if (auto text = checkpoint.read_text("chat_template.jinja"); text.ok()) return *text;
  const auto config = checkpoint.read_json("tokenizer_config.json");
  if (!config.ok() || !config->is_object()) return "";
  const auto found = config->find("chat_template");
  if (found == config->end()) return "";
  if (found->is_string()) return found->get<std::string>();
  // Several templates by name: the default one counts.
  if (!found->is_array()) return "";
  for (const Json& entry : *found) {
    const bool named = entry.is_object() && entry.contains("name") && entry.contains("template");
    if (named && entry["name"] == "default" && entry["template"].is_string())
      return entry["template"].get<std::string>();
  }
  return "";
}

DetectedFormat read_chat_format(const Checkpoint& checkpoint) {
  const std::string text = read_chat_template(checkpoint);
  return text.empty() ? DetectedFormat{ChatFormat::kQwen3, true} : detect_chat_format(text);
}

GenerationDefaults read_generation_defaults(const Checkpoint& checkpoint, const Tokenizer* tokenizer) {
  GenerationDefaults defaults;
  defaults.sampling = recommended_sampling(read_chat_format(checkpoint).format);
  if (checkpoint.format() == CheckpointFormat::kGguf) {
    read_gguf_sampling(checkpoint, defaults.sampling);
    add_stop(defaults.stop_tokens, checkpoint.meta_int("tokenizer.ggml.eos_token_id"));
    add_stop(defaults.stop_tokens, checkpoint.meta_int("tokenizer.ggml.eot_token_id"));
  } else {
    const auto generation = checkpoint.read_json("generation_config.json");
    if (generation.ok() && generation->is_object()) {
      read_json_sampling(*generation, defaults.sampling);
      add_json_stops(*generation, defaults.stop_tokens);
    }
    const auto config = checkpoint.read_json("config.json");
    if (defaults.stop_tokens.empty() && config.ok() && config->is_object()) {
      add_json_stops(*config, defaults.stop_tokens);
    }
  }
  // A turn always ends at these two, whatever a file forgot to say.
  for (const char* name : {"<|im_end|>", "<|endoftext|>"}) {
    if (tokenizer != nullptr) add_stop(defaults.stop_tokens, tokenizer->find_added(name));
  }
  return defaults;
}

std::string read_license(const Checkpoint& checkpoint) {
  if (checkpoint.format() == CheckpointFormat::kGguf) {
    return std::string(checkpoint.meta_string("general.license").value_or(""));
  }
  // Model repositories say it in the front matter of README.md: "license: apache-2.0".
  const auto readme = checkpoint.read_text("README.md");
  if (!readme.ok() || !readme->starts_with("---")) return "";
  const size_t end = readme->find("\n---", 3);
  const size_t line = readme->find("\nlicense:");
  if (line == std::string::npos || line > end) return "";
  const size_t first = readme->find_first_not_of(' ', line + 9);
  return readme->substr(first, readme->find_first_of("\r\n", first) - first);
}

}  // namespace ink
