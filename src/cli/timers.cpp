// `inkstone timers`: what waits, and what fired lately. `inkstone watch`, in watch.cpp, makes them fire.
#include <memory>

#include "cli/assistant_setup.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "services/assistant/time/calendar.h"

namespace ink::cli {
namespace {

struct TimersFlags {
  bool json = false;
  std::optional<int64_t> cancel;
};

std::string instant_text(int64_t wall_ms) {
  return assistant::date_text(assistant::date_of(wall_ms)) + " " + assistant::time_of(wall_ms);
}

Json pending_json(const assistant::Pending& one) {
  Json json{{"id", one.id}, {"kind", one.kind}, {"label", one.label}};
  json["due"] = one.due_ms ? Json(instant_text(*one.due_ms)) : Json();
  if (one.due_ms) json["remaining_seconds"] = (one.remaining_ms + 999) / 1000;
  if (!one.repeat.empty()) json["repeat"] = one.repeat;
  return json;
}

Json fired_json(const assistant::Fired& one) {
  return {{"kind", one.kind},
          {"label", one.label},
          {"due", instant_text(one.due_ms)},
          {"fired", instant_text(one.fired_ms)},
          {"missed", one.missed}};
}

std::string line_of(const assistant::Pending& one) {
  std::string line = std::to_string(one.id);
  line.resize(std::max<size_t>(line.size() + 1, 6), ' ');
  line += one.kind;
  line.resize(std::max<size_t>(line.size() + 1, 16), ' ');
  line += one.due_ms ? instant_text(*one.due_ms) : "no time         ";
  if (!one.repeat.empty()) line += "  " + one.repeat;
  if (!one.label.empty()) line += "  " + one.label;
  return line + "\n";
}

struct Listed {
  std::vector<assistant::Pending> waiting;
  std::vector<assistant::Fired> fired;
};

Result<Listed> list(const std::shared_ptr<assistant::State>& state, const std::optional<int64_t>& cancel) {
  constexpr int kMostFired = 10;
  Listed listed;
  int64_t cancelled = 0;
  if (state->begun()) {
    const auto schedule = state->schedule();
    if (!schedule.ok()) return schedule.error();
    if (cancel) {
      const auto count = (*schedule)->cancel({*cancel});
      if (!count.ok()) return count.error();
      cancelled = *count;
    }
    auto waiting = (*schedule)->pending();
    if (!waiting.ok()) return waiting.error();
    auto fired = (*schedule)->fired(kMostFired);
    if (!fired.ok()) return fired.error();
    listed = {std::move(*waiting), std::move(*fired)};
  }
  if (cancel && cancelled == 0)
    return Error{ErrorKind::kNotFound, "timers", "a number from the list", std::to_string(*cancel), ""};
  return listed;
}

int timers(const TimersFlags& flags) {
  const auto listed = list(assistant_state(), flags.cancel);
  if (!listed.ok()) return report(listed.error());
  if (flags.json) {
    Json json{{"pending", Json::array()}, {"fired", Json::array()}};
    for (const auto& one : listed->waiting) json["pending"].push_back(pending_json(one));
    for (const auto& one : listed->fired) json["fired"].push_back(fired_json(one));
    output().write_json(json);
    return kOk;
  }
  for (const auto& one : listed->waiting) output().write(line_of(one));
  if (listed->waiting.empty()) note("nothing is waiting");
  for (const auto& one : listed->fired)
    output().write((one.missed ? "missed  " : "fired   ") + one.kind + "  " + instant_text(one.due_ms) +
                   (one.label.empty() ? "" : "  " + one.label) + "\n");
  return kOk;
}

}  // namespace

void add_timers_command(CLI::App& program, Action& action) {
  Command command(program, "timers", "List timers, alarms and reminders that wait, and those that fired");
  auto flags = std::make_shared<TimersFlags>();
  command.toggle("--json", flags->json, "As one JSON object");
  command.integer("--cancel", flags->cancel, 1, INT64_MAX, "Take away the one with this number");
  command.runs(action, [flags] { return timers(*flags); });
}

}  // namespace ink::cli
