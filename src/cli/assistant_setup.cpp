// See cli/assistant_setup.h.
#include "cli/assistant_setup.h"

#include <unistd.h>

#include <algorithm>

#include "base/utf8.h"
#include "cli/connected.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "services/assistant/catalogue.h"
#include "services/assistant/device/absent.h"
#include "services/assistant/device/desktop_tools.h"
#include "services/assistant/device/media_tools.h"
#include "services/assistant/device/memory_tools.h"
#include "services/assistant/device/sum_tools.h"
#include "services/assistant/home_tools.h"
#include "services/assistant/time/time_tools.h"

namespace ink::cli {
namespace {

// The catalogue is some 4,500 tokens of a Qwen3 prompt; a conversation needs room beside it.
constexpr int64_t kContextWithTools = 8192;
constexpr int64_t kReplyTokens = 512;  // of a model that can answer more than "I cannot do that"

bool means_yes(const std::string& line) {
  static const std::vector<std::string> kYes = {"y",  "yes", "ok", "好", "好的", "是",   "是的", "对",
                                                "行", "係",  "系", "啱", "得",   "可以", "好呀", "係呀"};
  return std::find(kYes.begin(), kYes.end(), ascii_lower(line)) != kYes.end();
}

}  // namespace

void add_assistant_flags(Command& command, AssistantFlags& flags) {
  add_engine_flags(command, flags.model);
  command.toggle("--cascade", flags.cascade, "Ask the pocket model first, and -m's model when it declines");
  command.toggle("--plain", flags.plain,
                 "-m's model was trained for the catalogue: give it no list of tools");
  command.toggle("--must-call", flags.must_call, "For measuring: let every answer be a call");
  command.toggle("-y,--yes", flags.yes, "Say yes in advance to what asks first: unlock, send, call");
  command.toggle("--dry-run", flags.dry_run, "Show the calls and do nothing");
  command.toggle("-v,--verbose", flags.verbose, "Tell on stderr what was called and what went wrong");
}

bool is_pocket_model(const Checkpoint& checkpoint) {
  return checkpoint.meta_string("general.name") == "Inkstone Pocket Assistant";
}

Result<ProposingModel> load_proposer(const ModelFlags& model, const AssistantFlags& flags,
                                     const assistant::Registry& registry,
                                     const std::function<void()>& complete) {
  ModelFlags with_context = model;
  const bool embedded = !model.model || model.model->empty();
  if (!embedded && !flags.plain && !model.ctx_size) with_context.ctx_size = kContextWithTools;
  auto loaded = load_model(with_context, std::nullopt);
  if (!loaded.ok() && loaded.error().kind != ErrorKind::kNotFound && !model.ctx_size)
    loaded = load_model(model, std::nullopt);  // a model with a shorter context than we would like
  if (!loaded.ok()) return loaded.error();
  ProposingModel result{std::move(*loaded), nullptr};
  if (!flags.plain && !is_pocket_model(result.model.engine->checkpoint()) && complete) complete();
  auto proposer = proposer_for(result.model, flags, registry);
  if (!proposer.ok()) return proposer.error();
  result.proposer = std::move(*proposer);
  return result;
}

Result<std::unique_ptr<assistant::Proposer>> proposer_for(LoadedModel& model, const AssistantFlags& flags,
                                                          const assistant::Registry& registry) {
  const Engine& engine = *model.engine;
  assistant::ProposerOptions options;
  options.knows_tools = flags.plain || is_pocket_model(engine.checkpoint());
  options.must_call = flags.must_call;
  options.tools = options.knows_tools ? assistant::embedded_catalogue() : registry.declarations();
  if (!options.knows_tools) options.max_reply_tokens = kReplyTokens;
  options.generation.sampling = engine.defaults().sampling;
  options.generation.stop_tokens = engine.defaults().stop_tokens;
  options.generation.sampling.temperature = 0;  // the same words shall do the same thing
  return assistant::make_proposer(engine, *model.session, model.format, options);
}

std::function<bool(const std::string&)> confirmation_at_terminal() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) return {};
  return [](const std::string& question) {
    const std::string shown = printable(question) + " [y/N] ";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, shown.data(), shown.size());
    if (!wait_for_input(STDIN_FILENO)) return false;
    std::string line;
    for (char c = 0; ::read(STDIN_FILENO, &c, 1) == 1 && c != '\n';) line += c;
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.pop_back();
    return means_yes(line);
  };
}

assistant::AssistantOptions assistant_options(const AssistantFlags& flags) {
  assistant::AssistantOptions options;
  options.yes = flags.yes;
  options.dry_run = flags.dry_run;
  options.confirm = confirmation_at_terminal();
  options.cancelled = interrupted;
  if (flags.verbose) options.log = [](const std::string& line) { note(line); };
  return options;
}

std::shared_ptr<assistant::State> assistant_state() {
  return std::make_shared<assistant::State>(assistant::state_folder(),
                                            std::make_shared<assistant::SystemClock>());
}

Status add_tools(assistant::Registry& registry, const std::shared_ptr<assistant::State>& state) {
  const std::vector<Json>& catalogue = assistant::embedded_catalogue();
  const auto add_all = [&](const assistant::Tools& tools, const char* source) -> Status {
    for (const auto& tool : tools) {
      if (Status added = registry.add(tool, source); !added.ok()) return added;
    }
    return Done{};
  };
  Status added = add_all(assistant::home_tools(catalogue, connected_home(state)), "home");
  if (added.ok()) added = add_all(assistant::time_tools(catalogue, state), "device");
  if (added.ok()) added = add_all(assistant::memory_tools(catalogue, state), "device");
  if (added.ok()) added = add_all(assistant::sum_tools(catalogue), "device");
  if (added.ok()) added = add_all(assistant::media_tools(catalogue), "device");
  if (added.ok()) added = add_all(assistant::desktop_tools(catalogue), "device");
  if (added.ok()) added = add_all(assistant::absent_tools(catalogue, registry), "device");
  return added;
}

}  // namespace ink::cli
