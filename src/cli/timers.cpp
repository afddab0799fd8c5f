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

int timers(const TimersFlags& flags) {
  constexpr int kMostFired = 10;
  const auto schedule = assistant_state()->schedule();
  if (!schedule.ok()) return report(schedule.error());
  if (flags.cancel) {
    const auto count = (*schedule)->cancel({*flags.cancel});
    if (!count.ok()) return report(count.error());
    if (*count == 0)
      return report(
          {ErrorKind::kNotFound, "timers", "a number from the list", std::to_string(*flags.cancel), ""});
  }
  const auto waiting = (*schedule)->pending();
  if (!waiting.ok()) return report(waiting.error());
  const auto fired = (*schedule)->fired(kMostFired);
  if (!fired.ok()) return report(fired.error());
  if (flags.json) {
    Json json{{"pending", Json::array()}, {"fired", Json::array()}};
    for (const auto& one : *waiting) json["pending"].push_back(pending_json(one));
    for (const auto& one : *fired) json["fired"].push_back(fired_json(one));
    output().write_json(json);
    return kOk;
  }
  for (const auto& one : *waiting) output().write(line_of(one));
  if (waiting->empty()) note("nothing is waiting");
  for (const auto& one : *fired)
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
