// `inkstone synth`: writes a checkpoint of a true shape with random weights, see models/synth.h.
#include "models/synth.h"

#include <memory>

#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/prompt_text.h"
#include "cli/units.h"

namespace ink::cli {
namespace {

struct SynthFlags {
  std::optional<std::string> like;
  std::optional<std::string> output;
  std::optional<std::string> type;
  std::optional<std::string> format;
  std::optional<std::string> tokenizer;
  std::optional<int64_t> seed;
  std::optional<int64_t> layers;
  std::optional<int64_t> vocab_size;
  bool pure = false;
};

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

Result<SynthOptions> synth_options(const SynthFlags& flags) {
  SynthOptions options;
  const auto config = find_known_shape(*flags.like);
  if (!config)
    return Error{ErrorKind::kInvalid, "--like", "one of " + listed(known_shape_names()),
                 "'" + *flags.like + "'", ""};
  options.name = *flags.like;
  options.config = *config;
  if (flags.layers) options.config.num_hidden_layers = *flags.layers;
  if (flags.vocab_size) options.config.vocab_size = *flags.vocab_size;
  const bool gguf = flags.format ? *flags.format == "gguf" : flags.output->ends_with(".gguf");
  options.format = gguf ? CheckpointFormat::kGguf : CheckpointFormat::kSafetensors;
  const std::string type = flags.type.value_or(gguf ? "q8_0" : "bf16");
  const auto types = find_synth_types(type, flags.pure);
  if (!types)
    return Error{ErrorKind::kInvalid, "--type", "one of " + listed(synth_type_names()), "'" + type + "'", ""};
  options.types = *types;
  options.seed = static_cast<uint64_t>(flags.seed.value_or(0));
  return options;
}

Result<SynthVocabulary> synth_vocabulary(const SynthFlags& flags, int64_t size) {
  if (!flags.tokenizer) return make_synth_vocabulary(size);
  const auto text = read_utf8_file(*flags.tokenizer);
  if (!text.ok()) return text.error();
  const auto readable = Tokenizer::from_json(*text, *flags.tokenizer);
  if (!readable.ok()) return readable.error();
  return copy_vocabulary(*text, size, *flags.tokenizer);
}

int synth(const SynthFlags& flags) {
  auto options = synth_options(flags);
  if (!options.ok()) return report(options.error());
  const auto vocabulary = synth_vocabulary(flags, options->config.vocab_size);
  if (!vocabulary.ok()) return report(vocabulary.error());
  Progress progress("writing " + *flags.output);
  options->progress = [&](double fraction) { progress.update(fraction); };
  const Status written = write_synthetic(*flags.output, *options, *vocabulary);
  progress.clear();
  if (!written.ok()) return report(written.error());
  const auto checkpoint = Checkpoint::open(*flags.output);  // what was written is also read
  if (!checkpoint.ok()) return report(checkpoint.error());
  output().write("wrote " + *flags.output + ", " + size_text(checkpoint->size_bytes()) + "\n");
  return kOk;
}

}  // namespace

void add_synth_command(CLI::App& program, Action& action) {
  Command command(program, "synth", "Write a model of a true shape with random weights, for measuring");
  auto flags = std::make_shared<SynthFlags>();
  Command::require(
      command.text("--like", flags->like, "Shape: Qwen3-0.6B, 1.7B, 4B, 8B, 14B, 32B or 30B-A3B"));
  Command::require(command.text("-o,--output", flags->output,
                                "A .gguf file, or a folder for safetensors; must not exist yet", "PATH"));
  command.text(
      "--type", flags->type,
      "Type of the matrices: q8_0 (GGUF), bf16 (safetensors), f32, f16, q4_0, q6_k …, or a mix: q4_k_m");
  command.toggle("--pure", flags->pure,
                 "One type for all matrices; else the head of q4_0 and its like has q6_k");
  command.choice("--format", flags->format, {"gguf", "safetensors"},
                 "File format (by the ending of --output)");
  command.text("--tokenizer", flags->tokenizer, "tokenizer.json to copy instead of a made-up vocabulary",
               "FILE");
  command.integer("-s,--seed", flags->seed, 0, INT64_MAX, "Seed of the weights (0)");
  command.integer("--layers", flags->layers, 1, 1000, "Another number of layers");
  command.integer("--vocab-size", flags->vocab_size, 512, 1 << 20, "Another vocabulary size");
  command.runs(action, [flags] { return synth(*flags); });
}

}  // namespace ink::cli
