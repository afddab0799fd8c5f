// `inkstone verify`: are the numbers right on this machine? Replays golden vectors on every kernel table and
// fails loudly. For a model that has none beside it, those of its kind are replayed, and the model itself is
// run in ways that must agree bit for bit.
#include "runtime/verify.h"

#include <cmath>
#include <memory>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "services/library/model_finder.h"

namespace ink::cli {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kConsistencyContext = 64;

struct VerifyFlags {
  std::optional<std::string> named;
  ModelFlags model;
  bool json = false;
};

struct Findings {
  std::vector<std::pair<GoldenModel, GoldenReplay>> replays;
  std::vector<Consistency> consistency;
  std::string source;  // where golden vectors of the model's kind were taken from

  bool passed() const {
    for (const auto& [golden, replay] : replays) {
      if (!replay.passed()) return false;
    }
    for (const auto& check : consistency) {
      if (!check.equal) return false;
    }
    return true;
  }
};

// INKSTONE_GOLDEN, else the set beside an installed program, else the one of the source tree that holds the
// program.
std::vector<fs::path> golden_places() {
  if (const char* chosen = std::getenv("INKSTONE_GOLDEN"); chosen != nullptr && *chosen != '\0')
    return {chosen};
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  std::vector<fs::path> places = {program.parent_path().parent_path() / "share/inkstone/golden"};
  for (fs::path folder = program.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    if (fs::is_directory(folder / "tests/golden", error)) places.push_back(folder / "tests/golden");
  }
  return places;
}

Status replay_all(const std::vector<GoldenModel>& models, Findings& findings) {
  Progress progress("replaying");
  double done = 0;
  for (const auto& golden : models) {
    auto replays = replay_golden_everywhere(golden);
    if (!replays.ok()) return replays.error();
    for (auto& replay : *replays) findings.replays.emplace_back(golden, std::move(replay));
    progress.update(++done / static_cast<double>(models.size()));
  }
  return Done{};
}

// The golden models of the same architecture, from the first place that has any.
Result<std::vector<GoldenModel>> golden_of_kind(const std::string& architecture, std::string& source) {
  for (const auto& place : golden_places()) {
    std::vector<GoldenModel> same;
    for (auto& golden : find_golden_models(place)) {
      const auto checkpoint = Checkpoint::open(golden.model);
      const auto config =
          checkpoint.ok() ? read_config(*checkpoint) : Result<ModelConfig>(checkpoint.error());
      if (!config.ok()) return config.error();
      if (config->architecture == architecture) same.push_back(std::move(golden));
    }
    source = place.string();
    if (!same.empty()) return same;
  }
  return Error{ErrorKind::kNotFound, "golden vectors of " + architecture, "", "none found",
               "INKSTONE_GOLDEN=folder names a set"};
}

Status examine_model(const std::string& model, const ModelFlags& flags, Findings& findings) {
  const auto checkpoint = open_model(model);
  if (!checkpoint.ok()) return checkpoint.error();
  const auto config = read_config(*checkpoint);
  if (!config.ok()) return config.error();
  const auto same_kind = golden_of_kind(config->architecture, findings.source);
  if (!same_kind.ok()) return same_kind.error();
  const Status replayed = replay_all(*same_kind, findings);
  if (!replayed.ok()) return replayed;
  EngineOptions options = engine_options(flags);
  options.context_tokens = std::min(kConsistencyContext, config->max_position_embeddings);
  Progress progress("running " + checkpoint->name());
  options.progress = [&](double fraction) { progress.update(fraction); };
  auto checks = check_consistency([&] { return open_model(model); }, options);
  if (!checks.ok()) return checks.error();
  findings.consistency = std::move(*checks);
  return Done{};
}

std::string arithmetic_name(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::kExact ? "exact" : "fast";
}

// A limit that is not there is null in JSON.
Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json findings_json(const Findings& findings) {
  Json json;
  json["golden"] = Json::array();
  for (const auto& [golden, replay] : findings.replays) {
    json["golden"].push_back({{"name", golden.name},
                              {"model", golden.model.string()},
                              {"kernels", replay.kernels},
                              {"arithmetic", arithmetic_name(replay.arithmetic)},
                              {"max_difference", finite(replay.max_difference)},
                              {"allowed_max", finite(replay.allowed_max)},
                              {"mean_difference", finite(replay.mean_difference)},
                              {"allowed_mean", finite(replay.allowed_mean)},
                              {"ids", replay.ids},
                              {"wrong_ids", replay.wrong_ids},
                              {"ids_must_match", replay.ids_must_match},
                              {"passed", replay.passed()}});
  }
  json["consistency"] = Json::array();
  for (const auto& check : findings.consistency)
    json["consistency"].push_back({{"run", check.what}, {"ids", check.ids}, {"equal", check.equal}});
  json["passed"] = findings.passed();
  return json;
}

void print_findings(const Findings& findings) {
  if (!findings.source.empty())
    output().write("golden vectors of the same kind, from " + findings.source + "\n");
  char line[256];
  std::snprintf(line, sizeof line, "%-22s %-9s %-6s %10s %10s %10s %8s\n", "model", "kernels", "mode",
                "max diff", "allowed", "mean diff", "ids");
  output().write(line);
  for (const auto& [golden, replay] : findings.replays) {
    const std::string ids = std::to_string(replay.ids - replay.wrong_ids) + "/" + std::to_string(replay.ids);
    const std::string allowed = std::isfinite(replay.allowed_max) ? "" : "mean only";
    char limit[24];
    std::snprintf(limit, sizeof limit, "%.2g", replay.allowed_max);
    std::snprintf(line, sizeof line, "%-22s %-9s %-6s %10.2g %10s %10.2g %8s  %s\n", golden.name.c_str(),
                  replay.kernels.c_str(), arithmetic_name(replay.arithmetic).c_str(), replay.max_difference,
                  allowed.empty() ? limit : allowed.c_str(), replay.mean_difference, ids.c_str(),
                  replay.passed() ? "ok" : "FAILED");
    output().write(line);
  }
  for (const auto& check : findings.consistency) {
    std::snprintf(line, sizeof line, "same bits %-38s %s\n", check.what.c_str(),
                  check.equal ? "ok" : "FAILED");
    output().write(line);
  }
  output().write(findings.passed() ? "all hold\n" : "VERIFY FAILED\n");
}

int verify(const VerifyFlags& flags) {
  const std::string model = flags.named ? *flags.named : flags.model.model.value_or("");
  Findings findings;
  std::error_code error;
  const auto beside = fs::exists(model, error) ? find_golden_models(model) : std::vector<GoldenModel>();
  const Status done =
      beside.empty() ? examine_model(model, flags.model, findings) : replay_all(beside, findings);
  if (!done.ok()) return report(done.error());
  if (flags.json)
    output().write_json(findings_json(findings));
  else
    print_findings(findings);
  if (findings.passed()) return kOk;
  report({ErrorKind::kInvalid, "verify", "", "the numbers are not the reference's on this machine", ""});
  return kFailed;
}

}  // namespace

void add_verify_command(CLI::App& program, Action& action) {
  Command command(program, "verify",
                  "Check the engine's numbers against golden vectors on every kernel table");
  auto flags = std::make_shared<VerifyFlags>();
  command.text("MODEL", flags->named, "A model, or a folder of golden models (none: the embedded model)");
  add_model_flag(command, flags->model);
  command.integer("-t,--threads", flags->model.threads, 0, 1024,
                  "Threads (0: as many as the process may use)");
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return verify(*flags); });
}

}  // namespace ink::cli
