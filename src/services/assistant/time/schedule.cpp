// See services/assistant/time/schedule.h.
#include "services/assistant/time/schedule.h"

#include <algorithm>

#include "services/assistant/language.h"
#include "services/assistant/time/calendar.h"

namespace ink::assistant {
namespace {

constexpr int64_t kKeptMs = int64_t{30} * 24 * 3600 * 1000;

std::optional<int64_t> number(const Json& row, const char* column) {
  return row[column].is_number() ? std::optional(row[column].get<int64_t>()) : std::nullopt;
}

std::string text(const Json& row, const char* column) {
  return row[column].is_string() ? row[column].get<std::string>() : "";
}

}  // namespace

Schedule::Schedule(std::shared_ptr<Database> database, std::shared_ptr<const Clock> clock)
    : database_(std::move(database)), clock_(std::move(clock)), boot_id_(clock_->boot_id()) {}

Status Schedule::add(const Json& row) {
  std::string columns = "created_ms";
  std::string marks = "?";
  Json values = Json::array({clock_->wall_ms()});
  for (const auto& [column, value] : row.items()) {
    columns += ", " + column;
    marks += ", ?";
    values.push_back(value);
  }
  const auto added = database_->run("INSERT INTO pending (" + columns + ") VALUES (" + marks + ")", values);
  return added.ok() ? Status(Done{}) : added.error();
}

Status Schedule::add_timer(int64_t seconds, const std::string& label, const Voice& voice) {
  return add({{"kind", "timer"},
              {"label", label},
              {"language", voice_code(voice)},
              {"seconds", seconds},
              {"due_ms", clock_->wall_ms() + seconds * 1000},
              {"boot_id", boot_id_},
              {"boot_due_ms", clock_->boot_ms() + seconds * 1000}});
}

Status Schedule::add_alarm(int64_t due_ms, const std::string& time, const std::string& repeat,
                           std::optional<int> weekday, const Voice& voice) {
  return database_->transact([&]() -> Status {
    const auto same = database_->run(
        "SELECT id FROM pending WHERE kind = 'alarm' AND due_ms = ? AND repeat = ? AND weekday IS ?",
        {due_ms, repeat, weekday ? Json(*weekday) : Json()});
    if (!same.ok()) return same.error();
    if (!same->empty()) return Done{};
    return add({{"kind", "alarm"},
                {"language", voice_code(voice)},
                {"due_ms", due_ms},
                {"time", time},
                {"repeat", repeat},
                {"weekday", weekday ? Json(*weekday) : Json()}});
  });
}

Status Schedule::add_reminder(std::optional<int64_t> due_ms, const std::string& text, const Voice& voice) {
  return add({{"kind", "reminder"},
              {"label", text},
              {"language", voice_code(voice)},
              {"due_ms", due_ms ? Json(*due_ms) : Json()}});
}

Pending Schedule::read(const Json& row) const {
  Pending one;
  one.id = row["id"].get<int64_t>();
  one.kind = text(row, "kind");
  one.label = text(row, "label");
  one.voice = voice_of(text(row, "language"));
  one.due_ms = number(row, "due_ms");
  one.time = text(row, "time");
  one.repeat = text(row, "repeat");
  if (const auto weekday = number(row, "weekday")) one.weekday = static_cast<int>(*weekday);
  const auto boot_due_ms = number(row, "boot_due_ms");
  if (boot_due_ms && !boot_id_.empty() && text(row, "boot_id") == boot_id_) {
    one.remaining_ms = *boot_due_ms - clock_->boot_ms();
    one.due_ms = clock_->wall_ms() + one.remaining_ms;  // the wall clock may have been set since
  } else {
    one.remaining_ms = one.due_ms ? *one.due_ms - clock_->wall_ms() : INT64_MAX;
  }
  return one;
}

Result<std::vector<Pending>> Schedule::pending() const {
  const auto rows = database_->run("SELECT * FROM pending ORDER BY id");
  if (!rows.ok()) return rows.error();
  std::vector<Pending> all;
  for (const auto& row : *rows) all.push_back(read(row));
  std::stable_sort(all.begin(), all.end(),
                   [](const Pending& a, const Pending& b) { return a.remaining_ms < b.remaining_ms; });
  return all;
}

Result<std::vector<Fired>> Schedule::fired(int most) const {
  const auto rows = database_->run("SELECT * FROM fired ORDER BY fired_ms DESC, id DESC LIMIT ?", {most});
  if (!rows.ok()) return rows.error();
  std::vector<Fired> all;
  for (const auto& row : *rows) {
    all.push_back({row["pending_id"].get<int64_t>(), text(row, "kind"), text(row, "label"),
                   voice_of(text(row, "language")), row["due_ms"].get<int64_t>(),
                   row["fired_ms"].get<int64_t>(), row["missed"].get<int64_t>() != 0});
  }
  return all;
}

Result<int64_t> Schedule::cancel(const std::vector<int64_t>& ids) {
  int64_t count = 0;
  const Status done = database_->transact([&]() -> Status {
    for (const int64_t id : ids) {
      const auto removed = database_->run("DELETE FROM pending WHERE id = ?", {id});
      if (!removed.ok()) return removed.error();
      count += database_->changed();
    }
    return Done{};
  });
  if (!done.ok()) return done.error();
  return count;
}

Status Schedule::fire(const Pending& one, std::vector<Fired>& all) {
  const int64_t now = clock_->wall_ms();
  const Fired fired{one.id, one.kind, one.label, one.voice, *one.due_ms, now, one.remaining_ms < -kLateMs};
  const auto time = parse_time(one.time);
  const unsigned days = weekdays_of(one.repeat, one.weekday);
  const auto moved = time && days != 0
                         ? database_->run("UPDATE pending SET due_ms = ? WHERE id = ?",
                                          {next_repeat_ms(*time, days, std::max(now, *one.due_ms)), one.id})
                         : database_->run("DELETE FROM pending WHERE id = ?", {one.id});
  if (!moved.ok()) return moved.error();
  const auto recorded = database_->run(
      "INSERT INTO fired (pending_id, kind, label, language, due_ms, fired_ms, missed) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      {one.id, fired.kind, fired.label, voice_code(fired.voice), fired.due_ms, now, fired.missed});
  if (!recorded.ok()) return recorded.error();
  all.push_back(fired);
  return Done{};
}

Result<std::vector<Fired>> Schedule::take_due() {
  std::vector<Fired> all;
  // Looking costs nothing; only when something is due is the database locked and looked at again.
  const auto waiting = pending();
  if (!waiting.ok()) return waiting.error();
  if (waiting->empty() || waiting->front().remaining_ms > 0) return all;
  const Status done = database_->transact([&]() -> Status {
    const auto rows = pending();
    if (!rows.ok()) return rows.error();
    for (const auto& one : *rows) {
      if (one.remaining_ms > 0) continue;
      if (Status fired = fire(one, all); !fired.ok()) return fired;
    }
    const auto pruned = database_->run("DELETE FROM fired WHERE fired_ms < ?", {clock_->wall_ms() - kKeptMs});
    return pruned.ok() ? Status(Done{}) : pruned.error();
  });
  if (!done.ok()) return done.error();
  return all;
}

}  // namespace ink::assistant
