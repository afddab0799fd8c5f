// `inkstone ask`: one request is understood, done and answered in its own language. With --batch many
// requests are only understood, for measuring: calls are written and nothing is done.
#include <memory>

#include "cli/actor.h"
#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/connected.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/prompt_text.h"
#include "cli/watching.h"

namespace ink::cli {
namespace {

struct AskFlags {
  AssistantFlags assistant;
  std::optional<std::string> text;
  std::optional<std::string> batch;
  bool json = false;
  bool no_watch = false;
};

Json reply_json(const assistant::Reply& reply, bool dry_run) {
  Json json;
  json["language"] = assistant::voice_code(reply.voice);
  json["calls"] = Json::array();
  for (const auto& report : reply.calls) {
    Json call{{"name", report.call.name}, {"arguments", report.call.arguments}};
    if (!dry_run || !report.outcome.done()) {
      call["done"] = report.outcome.done();
      if (!report.outcome.done()) call["problem"] = report.outcome.problem;
      if (!report.outcome.data.empty()) call["result"] = report.outcome.data;
      call["said"] = report.said;
    }
    json["calls"].push_back(call);
  }
  json["declined"] = reply.declined;
  json["said"] = reply.said;
  return json;
}

struct Models {
  ProposingModel first;
  std::optional<ProposingModel> larger;
  assistant::Proposer* second() { return larger ? larger->proposer.get() : nullptr; }
};

Result<Models> load_models(const AssistantFlags& flags, assistant::Registry& registry) {
  ConnectedServers servers(flags.model.model && !flags.plain);  // they open while the model loads
  const auto complete = [&] { servers.add_to(registry); };
  Models models;
  ModelFlags first = flags.model;
  if (flags.cascade) {
    first.model.reset();
    first.ctx_size.reset();
  }
  auto loaded = load_proposer(first, flags, registry, complete);
  if (!loaded.ok()) return loaded.error();
  models.first = std::move(*loaded);
  if (!flags.cascade) return models;
  auto larger = load_proposer(flags.model, flags, registry, complete);
  if (!larger.ok()) return larger.error();
  models.larger = std::move(*larger);
  return models;
}

// What a model proposes for one line; nothing for a line that no model should see.
Result<std::vector<ToolCall>> propose(Models& models, const std::string& text) {
  std::vector<ToolCall> calls;
  if (assistant::check_request(text) != assistant::RequestFault::kNone) return calls;
  const std::vector<ChatMessage> conversation = {text_message(Role::kUser, text)};
  for (assistant::Proposer* proposer : {models.first.proposer.get(), models.second()}) {
    if (proposer == nullptr) continue;
    const auto proposal = proposer->propose(conversation, interrupted);
    if (proposal.ok() && !proposal->calls.empty()) return proposal->calls;
    if (!proposal.ok() && proposal.error().kind != ErrorKind::kTooLarge) return proposal.error();
  }
  return calls;
}

int ask_batch(Models& models, const std::vector<BatchLine>& lines) {
  Progress progress("asking");
  const InterruptScope ctrl_c(true);
  for (size_t i = 0; i < lines.size() && !output().failed(); ++i) {
    const auto calls = propose(models, lines[i].text);
    if (!calls.ok()) return report(calls.error());
    output().write_json(Json{{"id", lines[i].id}, {"calls", calls_json(*calls)}});
    progress.update(static_cast<double>(i + 1) / static_cast<double>(lines.size()));
  }
  return kOk;
}

int show(const AskFlags& flags, const assistant::Reply& reply) {
  if (flags.json) {
    output().write_json(reply_json(reply, flags.assistant.dry_run));
    return reply_code(reply);
  }
  if (flags.assistant.dry_run) {
    for (const auto& one : reply.calls) output().write(call_text(one.call) + "\n");
  }
  output().write(reply.said + "\n");
  return reply_code(reply);
}

int ask_once(const AskFlags& flags, const assistant::Registry& registry, Models& models,
             const std::string& text) {
  const InterruptScope ctrl_c(true);
  assistant::Assistant the_assistant(registry, *models.first.proposer, models.second(),
                                     assistant_options(flags.assistant));
  const auto reply = the_assistant.ask(text);
  if (!reply.ok()) return report(reply.error());
  return show(flags, *reply);
}

int ask(const AskFlags& flags) {
  if (flags.batch && flags.text)
    return report({ErrorKind::kInvalid, "--batch", "no request beside it", "one", "inkstone ask --help"});
  if (flags.assistant.cascade && !flags.assistant.model.model)
    return report(
        {ErrorKind::kInvalid, "--cascade", "-m with the larger model", "none", "inkstone ask --help"});
  std::vector<BatchLine> lines;
  Result<std::string> text = std::string();
  if (flags.batch) {
    auto read = read_batch(*flags.batch);
    if (!read.ok()) return report(read.error());
    lines = std::move(*read);
  } else {
    text = flags.text && *flags.text != "-" ? *flags.text : read_stdin();
    if (!text.ok()) return report(text.error());
    if (const auto refusal = assistant::refused(*text)) return show(flags, *refusal);
  }
  assistant::Registry registry;
  const auto state = assistant_state();
  if (const Status added = add_tools(registry, state); !added.ok()) return report(added.error());
  auto models = load_models(flags.assistant, registry);
  if (!models.ok()) return report(models.error());
  const int code = flags.batch ? ask_batch(*models, lines) : ask_once(flags, registry, *models, *text);
  if (!flags.batch && !flags.assistant.dry_run && !flags.no_watch) leave_watcher(state);
  return code;
}

}  // namespace

void add_ask_command(CLI::App& program, Action& action) {
  Command command(program, "ask", "Do what a sentence asks for, and say what was done");
  auto flags = std::make_shared<AskFlags>();
  command.text("REQUEST", flags->text,
               "What to do, in quotes, in Mandarin, Cantonese or English; - reads stdin");
  command.text("--batch", flags->batch,
               "Write the calls for every line {\"id\", \"text\"} of a JSONL file; nothing is done", "FILE");
  command.toggle("--json", flags->json, "Print calls, outcomes and what was said as one JSON object");
  command.toggle("--no-watch", flags->no_watch,
                 "Leave no process behind that fires timers; `inkstone watch` does it too");
  add_assistant_flags(command, flags->assistant);
  command.runs(action, [flags] { return ask(*flags); });
}

}  // namespace ink::cli
