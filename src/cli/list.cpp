// `inkstone list`: the models that -m accepts by name.
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/units.h"
#include "services/library/model_finder.h"

namespace ink::cli {
namespace {

struct ListFlags {
  bool json = false;
  bool names = false;
};

void print_table(const std::vector<FoundModel>& models) {
  size_t widest = 4;
  for (const auto& model : models) widest = std::max(widest, model.name.size());
  for (const auto& model : models) {
    const std::string size = size_text(model.bytes);
    std::string line = model.name + std::string(widest - model.name.size() + 2, ' ');
    line += std::string(size.size() < 10 ? 10 - size.size() : 0, ' ') + size + "  " + model.place;
    if (!model.path.empty()) line += "  " + model.path.string();
    output().write(line + "\n");
  }
}

int list(const ListFlags& flags) {
  const auto models = find_models();
  if (flags.json) {
    Json all = Json::array();
    for (const auto& model : models) {
      all.push_back(Json{{"name", model.name},
                         {"path", model.path.string()},
                         {"place", model.place},
                         {"format", model.format},
                         {"bytes", model.bytes}});
    }
    output().write_json(all);
  } else if (flags.names) {
    for (const auto& model : models) output().write(model.name + "\n");
  } else {
    print_table(models);
  }
  return kOk;
}

}  // namespace

void add_list_command(CLI::App& program, Action& action) {
  Command command(program, "list",
                  "List the models found here, in $INKSTONE_MODELS, the data folder and the HF cache");
  auto flags = std::make_shared<ListFlags>();
  command.toggle("--json", flags->json, "Print a JSON array");
  command.toggle("--names", flags->names, "Print only the names");
  command.runs(action, [flags] { return list(*flags); });
}

}  // namespace ink::cli
