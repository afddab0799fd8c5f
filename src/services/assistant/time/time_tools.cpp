// See services/assistant/time/time_tools.h. What is said names the day and the hour that were understood,
// since a request rarely says both: a wrong guess is heard at once.
#include "services/assistant/time/time_tools.h"

#include "services/assistant/device/terms.h"
#include "services/assistant/time/calendar.h"

namespace ink::assistant {
namespace {

using StatePointer = std::shared_ptr<State>;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Outcome set_timer(State& state, const Json& arguments, const CallContext& context) {
  const auto schedule = state.schedule();
  if (!schedule.ok()) return failed(problem_of(schedule.error()));
  const auto seconds = arguments["seconds"].get<int64_t>();
  const std::string label = text_argument(arguments, "label");
  const Status added = (*schedule)->add_timer(seconds, label, context.voice);
  if (!added.ok()) return failed(problem_of(added.error()));
  return done("set_timer", {{"duration", seconds}, {"label", text_or_null(label)}});
}

// Takes away the waiting ones of a kind that fit.
Outcome cancel(State& state, const std::string& kind, const Json& slots,
               const std::function<bool(const Pending&)>& fits) {
  const auto schedule = state.schedule();
  if (!schedule.ok()) return failed(problem_of(schedule.error()));
  const auto waiting = (*schedule)->pending();
  if (!waiting.ok()) return failed(problem_of(waiting.error()));
  std::vector<int64_t> ids;
  bool any = false;
  for (const auto& one : *waiting) {
    any = any || one.kind == kind;
    if (one.kind == kind && fits(one)) ids.push_back(one.id);
  }
  if (ids.empty()) return failed(any ? "no_such_" + kind : "no_" + kind, "", slots);
  const auto count = (*schedule)->cancel(ids);
  if (!count.ok()) return failed(problem_of(count.error()));
  Json said = slots;
  said["count"] = *count;
  return done("cancel_" + kind, said, {{"cancelled", *count}});
}

Outcome cancel_timer(State& state, const Json& arguments, const CallContext&) {
  const std::string label = text_argument(arguments, "label");
  return cancel(state, "timer", {{"label", text_or_null(label)}},
                [&](const Pending& one) { return label.empty() || alike(one.label, label); });
}

Outcome set_alarm(State& state, const Json& arguments, const CallContext& context) {
  const auto schedule = state.schedule();
  if (!schedule.ok()) return failed(problem_of(schedule.error()));
  const std::string time = text_argument(arguments, "time");
  const std::string repeat = text_argument(arguments, "repeat");
  const std::string day = text_argument(arguments, "day");
  const auto clock_time = parse_time(time);
  if (!clock_time) return failed(problem::kInvalid, "set_alarm.time");
  const int64_t now = state.clock().wall_ms();
  const auto first = next_instant_ms(*clock_time, day, now);
  std::optional<int> weekday;
  if (repeat == "weekly") weekday = weekday_of(date_of(first.value_or(now)));
  const unsigned days = weekdays_of(repeat, weekday);
  // A repeated alarm begins with its next time; the day of a weekly one only says which weekday.
  const auto due = days != 0 ? std::optional(next_repeat_ms(*clock_time, days, now)) : first;
  if (!due) return failed("time_over", "", {{"time", time}});
  const Status added = (*schedule)->add_alarm(*due, time, repeat, weekday, context.voice);
  if (!added.ok()) return failed(problem_of(added.error()));
  const Date today = date_of(now);
  Json slots = {{"time", time}, {"day", spoken_day(date_of(*due), today)}};
  if (days != 0) slots["repeat"] = repeat;
  if (weekday) slots["weekday"] = *weekday;
  return done(weekday     ? "set_alarm.weekly"
              : days != 0 ? "set_alarm.repeat"
                          : "set_alarm",
              slots, {{"due", date_text(date_of(*due)) + " " + time_of(*due)}});
}

Outcome cancel_alarm(State& state, const Json& arguments, const CallContext&) {
  const std::string time = text_argument(arguments, "time");
  const std::string day = text_argument(arguments, "day");
  const auto date = day_named(day, date_of(state.clock().wall_ms()));
  return cancel(state, "alarm", {{"time", text_or_null(time)}, {"day", text_or_null(day)}},
                [&](const Pending& one) {
                  if (!time.empty() && one.time != time) return false;
                  if (!date) return true;
                  const unsigned days = weekdays_of(one.repeat, one.weekday);
                  if (days != 0) return (days >> weekday_of(*date) & 1) != 0;
                  return one.due_ms && date_of(*one.due_ms) == *date;
                });
}

// A day without an hour: the first usual hour of it that is still ahead.
std::optional<int64_t> usual_instant_ms(const std::string& day, int64_t now) {
  for (const int hour : {9, 12, 18, 21}) {
    if (const auto due = next_instant_ms({hour, 0}, day, now)) return due;
  }
  return day == "today" ? std::optional(now + 3'600'000) : std::nullopt;
}

Outcome create_reminder(State& state, const Json& arguments, const CallContext& context) {
  const auto schedule = state.schedule();
  if (!schedule.ok()) return failed(problem_of(schedule.error()));
  const std::string text = text_argument(arguments, "text");
  const std::string day = text_argument(arguments, "day");
  const std::string time = text_argument(arguments, "time");
  const int64_t now = state.clock().wall_ms();
  std::optional<int64_t> due;
  if (const auto clock_time = parse_time(time))
    due = next_instant_ms(*clock_time, day, now);
  else if (!day.empty())
    due = usual_instant_ms(day, now);
  if (!due && !(day.empty() && time.empty())) return failed("time_over", "", {{"time", text_or_null(time)}});
  const Status added = (*schedule)->add_reminder(due, text, context.voice);
  if (!added.ok()) return failed(problem_of(added.error()));
  if (!due) return done("create_reminder.someday", {{"text", text}});
  return done("create_reminder",
              {{"text", text}, {"time", time_of(*due)}, {"day", spoken_day(date_of(*due), date_of(now))}},
              {{"due", date_text(date_of(*due)) + " " + time_of(*due)}});
}

Outcome create_event(State& state, const Json& arguments, const CallContext&) {
  const auto database = state.database();
  if (!database.ok()) return failed(problem_of(database.error()));
  const std::string title = text_argument(arguments, "title");
  const std::string day = text_argument(arguments, "day");
  const std::string time = text_argument(arguments, "time");
  const int64_t now = state.clock().wall_ms();
  std::optional<Date> date = day_named(day, date_of(now));
  if (const auto clock_time = parse_time(time); clock_time && !date)
    date = date_of(next_instant_ms(*clock_time, "", now).value_or(now));
  const Json when = date ? Json(date_text(*date)) : Json();
  const auto added =
      (*database)->run("INSERT INTO events (title, date, time, created_ms) VALUES (?, ?, ?, ?)",
                       {title, when, text_or_null(time), now});
  if (!added.ok()) return failed(problem_of(added.error()));
  Json slots = {{"title", title}, {"time", text_or_null(time)}};
  slots["day"] = date ? Json(spoken_day(*date, date_of(now))) : Json();
  return done(date ? "create_event" : "create_event.someday", slots, {{"date", when}});
}

struct Entry {
  std::string date;
  std::string time;
  std::string title;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 is wrong about <=>
  auto operator<=>(const Entry&) const = default;
};

// Events and reminders of these days, in order.
Result<std::vector<Entry>> entries(State& state, const Days& days) {
  const auto database = state.database();
  if (!database.ok()) return database.error();
  const auto events = (*database)->run("SELECT title, date, time FROM events WHERE date BETWEEN ? AND ?",
                                       {date_text(days.first), date_text(days.last)});
  if (!events.ok()) return events.error();
  std::vector<Entry> all;
  for (const auto& row : *events)
    all.push_back({text_argument(row, "date"), text_argument(row, "time"), text_argument(row, "title")});
  const auto schedule = state.schedule();
  if (!schedule.ok()) return schedule.error();
  const auto waiting = (*schedule)->pending();
  if (!waiting.ok()) return waiting.error();
  for (const auto& one : *waiting) {
    if (one.kind != "reminder" || !one.due_ms) continue;
    const Date date = date_of(*one.due_ms);
    if (date >= days.first && date <= days.last)
      all.push_back({date_text(date), time_of(*one.due_ms), one.label});
  }
  std::sort(all.begin(), all.end());
  return all;
}

Outcome query_calendar(State& state, const Json& arguments, const CallContext&) {
  constexpr size_t kMostSpoken = 5;
  const std::string day = text_argument(arguments, "day");
  const Date today = date_of(state.clock().wall_ms());
  const Days days = days_named(day, today).value_or(Days{today, plus_days(today, 6)});
  const auto found = entries(state, days);
  if (!found.ok()) return failed(problem_of(found.error()));
  const std::string when = day.empty() ? "coming_days" : day;
  Json data = Json::array();
  Json items = Json::array();
  for (const auto& one : *found) {
    data.push_back({{"date", one.date}, {"time", text_or_null(one.time)}, {"title", one.title}});
    if (items.size() == kMostSpoken) continue;
    Json slots = {{"title", one.title}, {"time", text_or_null(one.time)}};
    if (days.first != days.last) slots["day"] = spoken_day(parse_date(one.date).value_or(today), today);
    items.push_back({{"phrase", "event.item"}, {"slots", slots}});
  }
  if (found->empty()) return done("query_calendar.none", {{"day", when}}, {{"entries", data}});
  return done("query_calendar", {{"day", when}, {"count", found->size()}, {"items", items}},
              {{"entries", data}});
}

Outcome get_date_time(State& state, const Json&, const CallContext&) {
  const int64_t now = state.clock().wall_ms();
  const Date today = date_of(now);
  return done("get_date_time",
              {{"day", date_text(today)}, {"weekday", weekday_of(today)}, {"time", time_of(now)}},
              {{"date", date_text(today)}, {"time", time_of(now)}});
}

}  // namespace

Tools time_tools(const std::vector<Json>& catalogue, const std::shared_ptr<State>& state) {
  Tools tools;
  add_declared(tools, catalogue, "set_timer", bound(state, set_timer));
  add_declared(tools, catalogue, "cancel_timer", bound(state, cancel_timer));
  add_declared(tools, catalogue, "set_alarm", bound(state, set_alarm));
  add_declared(tools, catalogue, "cancel_alarm", bound(state, cancel_alarm));
  add_declared(tools, catalogue, "create_reminder", bound(state, create_reminder));
  add_declared(tools, catalogue, "query_calendar", bound(state, query_calendar));
  add_declared(tools, catalogue, "create_event", bound(state, create_event));
  tools.push_back(make_tool(
      make_declaration("get_date_time", "The date, weekday and time now.", Json::object(), Json::array()),
      bound(state, get_date_time)));
  return tools;
}

}  // namespace ink::assistant
