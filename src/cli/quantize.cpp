// `inkstone quantize`: writes a model with smaller types, and says what that cost each tensor. The arguments
// are llama.cpp's: source, destination, recipe.
#include "runtime/quantize.h"

#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/units.h"
#include "services/library/model_finder.h"
#include "tensor/quants.h"

namespace ink::cli {
namespace {

struct QuantizeFlags {
  std::optional<std::string> source;
  std::optional<std::string> destination;
  std::optional<std::string> recipe;
  std::optional<int64_t> threads;
  std::optional<std::string> importance;
  std::optional<std::string> output_type;
  std::optional<std::string> embedding_type;
  std::vector<std::string> tensor_types;
  bool pure = false;
  bool allow_requantize = false;
  bool json = false;
};

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

Result<Dtype> parse_type(const char* flag, const std::string& name) {
  std::vector<std::string> known;
  for (uint32_t id = 0; id <= static_cast<uint32_t>(Dtype::kNVFP4); ++id) {
    const DtypeInfo* info = find_dtype(id);
    if (info == nullptr || !writable_type(info->dtype)) continue;
    const bool same = std::equal(info->name.begin(), info->name.end(), name.begin(), name.end(),
                                 [](char a, char b) { return a == (b >= 'a' && b <= 'z' ? b - 32 : b); });
    if (same) return info->dtype;
    known.emplace_back(info->name);
  }
  return Error{ErrorKind::kInvalid, flag, "one of " + list_of(known), "'" + name + "'", ""};
}

// "attn_v=q6_k"; the name is a regular expression, as in llama.cpp.
Status add_tensor_type(const std::string& text, TypeWishes& wishes) {
  const char* flag = "--tensor-type";
  const size_t sign = text.rfind('=');
  if (sign == std::string::npos || sign == 0)
    return Error{ErrorKind::kInvalid, flag, "NAME=TYPE", "'" + text + "'", "for instance attn_v=q6_k"};
  const auto type = parse_type(flag, text.substr(sign + 1));
  if (!type.ok()) return type.error();
  try {
    wishes.by_name.emplace_back(std::regex(text.substr(0, sign)), *type);
  } catch (const std::regex_error&) {
    return Error{ErrorKind::kInvalid, flag, "a regular expression", "'" + text.substr(0, sign) + "'", ""};
  }
  return Done{};
}

Result<QuantizeOptions> quantize_options(const QuantizeFlags& flags) {
  QuantizeOptions options;
  const auto recipe = find_recipe(*flags.recipe);
  if (!recipe)
    return Error{ErrorKind::kInvalid, "--type", "one of " + list_of(recipe_names()),
                 "'" + *flags.recipe + "'", ""};
  options.recipe = *recipe;
  options.wishes.pure = flags.pure;
  const auto type_of = [](const char* flag, const std::optional<std::string>& name,
                          std::optional<Dtype>& target) -> Status {
    if (!name) return Done{};
    const auto type = parse_type(flag, *name);
    if (!type.ok()) return type.error();
    target = *type;
    return Done{};
  };
  Status status = type_of("--output-tensor-type", flags.output_type, options.wishes.output);
  if (status.ok())
    status = type_of("--token-embedding-type", flags.embedding_type, options.wishes.token_embedding);
  for (const auto& text : flags.tensor_types) {
    if (status.ok()) status = add_tensor_type(text, options.wishes);
  }
  if (!status.ok()) return status.error();
  options.allow_requantize = flags.allow_requantize;
  options.threads = static_cast<int>(flags.threads.value_or(0));
  return options;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

struct Totals {
  uint64_t bytes = 0;
  double bits_per_weight = 0;
  size_t without_importance = 0;  // matrices that the importance matrix does not know
};

Totals totals_of(const std::vector<QuantizedTensor>& tensors) {
  Totals totals;
  double elements = 0;
  for (const auto& tensor : tensors) {
    double product = 1;
    for (const int64_t size : tensor.shape) product *= static_cast<double>(size);
    elements += product;
    totals.bytes += tensor.size_bytes;
    if (!tensor.has_importance && dtype_info(tensor.to).is_quantized) ++totals.without_importance;
  }
  totals.bits_per_weight = 8 * static_cast<double>(totals.bytes) / elements;
  return totals;
}

void print_table(const std::vector<QuantizedTensor>& tensors, bool with_importance) {
  char line[256];
  std::snprintf(line, sizeof line, "%-32s %16s %-15s %10s %9s%s\n", "tensor", "shape", "type", "size",
                "error", with_importance ? "  weighted" : "");
  output().write(line);
  for (const auto& tensor : tensors) {
    const std::string from(dtype_info(tensor.from).name), to(dtype_info(tensor.to).name);
    std::snprintf(line, sizeof line, "%-32s %16s %-15s %10s %7.3f %%", tensor.name.c_str(),
                  shape_text(tensor.shape).c_str(), (from + " -> " + to).c_str(),
                  size_text(tensor.size_bytes).c_str(), 100 * tensor.error);
    output().write(line);
    if (with_importance && tensor.has_importance) {
      std::snprintf(line, sizeof line, "%8.3f %%", 100 * tensor.weighted_error);
      output().write(line);
    }
    output().write("\n");
  }
}

Json report_json(const QuantizeFlags& flags, const std::vector<QuantizedTensor>& tensors,
                 uint64_t file_bytes) {
  const Totals totals = totals_of(tensors);
  Json list = Json::array();
  for (const auto& tensor : tensors) {
    Json entry{{"name", tensor.name},
               {"shape", tensor.shape},
               {"from", dtype_info(tensor.from).name},
               {"to", dtype_info(tensor.to).name},
               {"bytes", tensor.size_bytes},
               {"error", tensor.error}};
    if (tensor.has_importance) entry["weighted_error"] = tensor.weighted_error;
    list.push_back(std::move(entry));
  }
  return {{"output", *flags.destination},
          {"recipe", find_recipe(*flags.recipe)->name},
          {"bytes", file_bytes},
          {"bits_per_weight", totals.bits_per_weight},
          {"tensors", std::move(list)}};
}

void print_report(const QuantizeFlags& flags, const std::vector<QuantizedTensor>& tensors,
                  uint64_t source_bytes, uint64_t file_bytes) {
  print_table(tensors, flags.importance.has_value());
  const Totals totals = totals_of(tensors);
  char line[160];
  std::snprintf(line, sizeof line, ", %s (from %s), %.2f bits per weight\n", size_text(file_bytes).c_str(),
                size_text(source_bytes).c_str(), totals.bits_per_weight);
  output().write("wrote " + *flags.destination + line);
  if (flags.importance && totals.without_importance > 0)
    note(std::to_string(totals.without_importance) + " matrices are not in the importance matrix");
}

int quantize_model(const QuantizeFlags& flags) {
  auto options = quantize_options(flags);
  if (!options.ok()) return report(options.error());
  const auto source = open_model(*flags.source);
  if (!source.ok()) return report(source.error());
  ImportanceMatrix importance;
  if (flags.importance) {
    auto read = read_importance(*flags.importance);
    if (!read.ok()) return report(read.error());
    importance = std::move(*read);
    options->importance = &importance;
    options->importance_name = std::filesystem::path(*flags.importance).filename().string();
  }
  Progress progress("writing " + *flags.destination);
  const InterruptScope ctrl_c(true);
  options->progress = [&](double fraction) {
    progress.update(fraction);
    return !interrupted();
  };
  const auto tensors = quantize(*source, *flags.destination, *options);
  progress.clear();
  if (!tensors.ok()) return report(tensors.error());
  const auto written = Checkpoint::open(*flags.destination);  // what was written is also read
  if (!written.ok()) return report(written.error());
  if (flags.json) {
    output().write_json(report_json(flags, *tensors, written->size_bytes()));
  } else {
    print_report(flags, *tensors, source->size_bytes(), written->size_bytes());
  }
  return kOk;
}

}  // namespace

void add_quantize_command(CLI::App& program, Action& action) {
  Command command(program, "quantize", "Write a model with smaller types; GGUF or safetensors to GGUF");
  auto flags = std::make_shared<QuantizeFlags>();
  Command::require(command.text("SOURCE", flags->source, "The model: a path or a name, as for -m"));
  Command::require(command.text("OUTPUT", flags->destination, "The .gguf file to write"));
  Command::require(command.text("TYPE", flags->recipe, list_of(recipe_names())));
  command.text("--imatrix", flags->importance, "Importance matrix that `inkstone imatrix` made", "FILE");
  command.toggle("--pure", flags->pure, "One type for all matrices");
  command.text("--output-tensor-type", flags->output_type, "Another type for output.weight", "TYPE");
  command.text("--token-embedding-type", flags->embedding_type, "Another type for token_embd.weight", "TYPE");
  command.texts("--tensor-type", flags->tensor_types,
                "Another type where the name matches: attn_v=q6_k; repeatable", "NAME=TYPE");
  command.toggle("--allow-requantize", flags->allow_requantize,
                 "Also from weights that are quantized already");
  command.integer("-t,--threads", flags->threads, 0, 1024, "Threads (0: as many as the process may use)");
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return quantize_model(*flags); });
}

}  // namespace ink::cli
