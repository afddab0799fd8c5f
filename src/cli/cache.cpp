// `inkstone cache`: the packed forms of models that make the next start fast.
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/units.h"
#include "runtime/pack_cache.h"

namespace ink::cli {
namespace {

struct CacheFlags {
  bool clear = false;
  bool json = false;
};

int show_cache(const std::filesystem::path& folder, bool as_json) {
  Json list = Json::array();
  uint64_t total = 0;
  for (const CachedPack& file : list_pack_cache(folder)) {
    total += file.bytes;
    if (as_json)
      list.push_back(Json{{"model", file.model}, {"path", file.path.string()}, {"bytes", file.bytes}});
    else
      output().write(size_text(file.bytes) + "  " + file.model + "\n");
  }
  if (as_json)
    output().write_json(Json{{"folder", folder.string()}, {"bytes", total}, {"models", list}});
  else
    output().write(size_text(total) + " in " + folder.string() + "\n");
  return kOk;
}

int run_cache(const CacheFlags& flags) {
  const std::filesystem::path folder = pack_cache_folder();
  if (folder.empty()) return report({ErrorKind::kNotFound, "cache", "HOME or XDG_CACHE_HOME", "neither", ""});
  if (!flags.clear) return show_cache(folder, flags.json);
  const uint64_t bytes = clear_pack_cache(folder);
  if (flags.json)
    output().write_json(Json{{"folder", folder.string()}, {"removed_bytes", bytes}});
  else
    output().write("removed " + size_text(bytes) + " from " + folder.string() + "\n");
  return kOk;
}

}  // namespace

void add_cache_command(CLI::App& program, Action& action) {
  Command command(program, "cache", "Show or remove the packed models that are kept for a fast start");
  auto flags = std::make_shared<CacheFlags>();
  command.toggle("--clear", flags->clear, "Remove all of them; they are made again when they are needed");
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return run_cache(*flags); });
}

}  // namespace ink::cli
