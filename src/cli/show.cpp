// `inkstone show`: what a model is and what it will need, read from the files' headers; no weights are
// loaded.
#include <memory>

#include "cli/commands.h"
#include "cli/conversation.h"
#include "cli/output.h"
#include "cli/units.h"
#include "services/library/model_finder.h"

namespace ink::cli {
namespace {

struct ShowFlags {
  ModelFlags model;
  std::optional<std::string> named;
  bool json = false;
};

// Whether the files bring a chat template of their own.
bool has_chat_template(const Checkpoint& checkpoint) {
  if (checkpoint.format() == CheckpointFormat::kGguf)
    return checkpoint.meta_string("tokenizer.chat_template").has_value();
  if (checkpoint.read_text("chat_template.jinja").ok()) return true;
  const auto config = checkpoint.read_json("tokenizer_config.json");
  return config.ok() && config->contains("chat_template");
}

std::string template_text(const Checkpoint& checkpoint, const ModelSummary& summary) {
  const std::string name(chat_traits(summary.chat_format.format).name);
  if (!has_chat_template(checkpoint)) return name + " (assumed: the files bring no template)";
  if (summary.chat_format.exact) return name;
  return name + " (nearest: the files' own template differs from the known ones)";
}

Json config_json(const ModelConfig& config) {
  Json json{{"architecture", config.architecture},
            {"vocab_size", config.vocab_size},
            {"hidden_size", config.hidden_size},
            {"intermediate_size", config.intermediate_size},
            {"num_hidden_layers", config.num_hidden_layers},
            {"num_attention_heads", config.num_attention_heads},
            {"num_key_value_heads", config.num_key_value_heads},
            {"head_dim", config.head_dim},
            {"max_position_embeddings", config.max_position_embeddings},
            {"rope_theta", config.rope_theta},
            {"tie_word_embeddings", config.tie_word_embeddings}};
  if (config.rope_scaling.kind != RopeScaling::Kind::kNone)
    json["rope_scaling"] = {
        {"type", config.rope_scaling.kind == RopeScaling::Kind::kYarn ? "yarn" : "linear"},
        {"factor", config.rope_scaling.factor},
        {"original_max_position_embeddings", config.rope_scaling.original_max_position_embeddings}};
  if (config.num_experts > 0) {
    json["num_experts"] = config.num_experts;
    json["num_experts_per_tok"] = config.num_experts_per_tok;
    json["moe_intermediate_size"] = config.moe_intermediate_size;
  }
  return json;
}

// Floats as people wrote them: 0.6 and not 0.6000000238.
double shortest(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", static_cast<double>(value));
  return std::strtod(text, nullptr);
}

Json sampling_json(const GenerationDefaults& defaults) {
  const SamplingOptions& sampling = defaults.sampling;
  return Json{{"temperature", shortest(sampling.temperature)},
              {"top_k", sampling.top_k},
              {"top_p", shortest(sampling.top_p)},
              {"min_p", shortest(sampling.min_p)},
              {"repeat_penalty", shortest(sampling.repeat_penalty)},
              {"presence_penalty", shortest(sampling.presence_penalty)},
              {"frequency_penalty", shortest(sampling.frequency_penalty)},
              {"stop_tokens", defaults.stop_tokens}};
}

Json summary_json(const Checkpoint& checkpoint, const ModelSummary& summary) {
  Json json{{"name", summary.name},
            {"path", checkpoint.folder().string()},
            {"format", checkpoint.format() == CheckpointFormat::kGguf ? "gguf" : "safetensors"},
            {"license", summary.license},
            {"parameters", summary.parameters},
            {"file_type", summary.file_type},
            {"file_bytes", summary.file_bytes},
            {"config", config_json(summary.config)}};
  json["memory"] = {{"context_tokens", summary.context_tokens},
                    {"weights_bytes", summary.memory.weights_bytes},
                    {"cache_bytes", summary.memory.cache_bytes},
                    {"scratch_bytes", summary.memory.scratch_bytes},
                    {"total_bytes", summary.memory.total()}};
  json["has_tokenizer"] = summary.has_tokenizer;
  json["chat_format"] = chat_traits(summary.chat_format.format).name;
  json["chat_template"] = !has_chat_template(checkpoint) ? "none"
                          : summary.chat_format.exact    ? "known"
                                                         : "unknown";
  json["sampling"] = sampling_json(summary.defaults);
  return json;
}

void line(const std::string& label, const std::string& value) {
  output().write(label + std::string(label.size() < 16 ? 16 - label.size() : 1, ' ') + value + "\n");
}

std::string shape_text(const ModelConfig& config) {
  std::string text = std::to_string(config.num_hidden_layers) + " layers of " +
                     std::to_string(config.hidden_size) + ", " + std::to_string(config.num_attention_heads) +
                     " heads of " + std::to_string(config.head_dim) + " over " +
                     std::to_string(config.num_key_value_heads);
  if (config.num_experts > 0)
    text += ", " + std::to_string(config.num_experts_per_tok) + " of " + std::to_string(config.num_experts) +
            " experts of " + std::to_string(config.moe_intermediate_size);
  else
    text += ", feed-forward " + std::to_string(config.intermediate_size);
  return text;
}

void print_summary(const Checkpoint& checkpoint, const ModelSummary& summary) {
  const ModelConfig& config = summary.config;
  line("model", summary.name);
  line("architecture", config.architecture);
  line("parameters", count_text(summary.parameters));
  line("shape", shape_text(config));
  line("vocabulary",
       std::to_string(config.vocab_size) + (summary.has_tokenizer ? "" : " (no tokenizer in the files)"));
  line("context", std::to_string(config.max_position_embeddings) + " tokens");
  line("weights", summary.file_type + ", " + size_text(summary.file_bytes));
  const MemoryNeeds& memory = summary.memory;
  line("memory", size_text(memory.total()) + " with " + std::to_string(summary.context_tokens) +
                     " tokens of context: weights " + size_text(memory.weights_bytes) + ", cache " +
                     size_text(memory.cache_bytes) + ", scratch " + size_text(memory.scratch_bytes));
  line("licence", summary.license.empty() ? "not stated in the files" : summary.license);
  line("chat format", template_text(checkpoint, summary));
  std::string sampling;
  const Json defaults = sampling_json(summary.defaults);
  for (const auto& [name, value] : defaults.items()) {
    if (name != "stop_tokens") sampling += (sampling.empty() ? "" : ", ") + name + " " + value.dump();
  }
  line("sampling", sampling);
  std::string stops;
  for (const int32_t id : summary.defaults.stop_tokens)
    stops += (stops.empty() ? "" : ", ") + std::to_string(id);
  line("stop tokens", stops.empty() ? "none" : stops);
}

int show(const ShowFlags& flags) {
  const auto checkpoint = open_model(flags.named ? *flags.named : flags.model.model.value_or(""));
  if (!checkpoint.ok()) return report(checkpoint.error());
  const auto summary = summarize(*checkpoint, engine_options(flags.model));
  if (!summary.ok()) return report(summary.error());
  if (flags.json)
    output().write_json(summary_json(*checkpoint, *summary));
  else
    print_summary(*checkpoint, *summary);
  return kOk;
}

}  // namespace

void add_show_command(CLI::App& program, Action& action) {
  Command command(program, "show", "Tell what a model is, what memory it will need and its licence");
  auto flags = std::make_shared<ShowFlags>();
  command.text("MODEL", flags->named, "A path or a name, as for -m");
  add_engine_flags(command, flags->model);
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return show(*flags); });
}

}  // namespace ink::cli
