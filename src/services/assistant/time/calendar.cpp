// See services/assistant/time/calendar.h.
#include "services/assistant/time/calendar.h"

#include <array>
#include <charconv>
#include <ctime>

namespace ink::assistant {
namespace {

namespace chr = std::chrono;

constexpr std::array<std::string_view, 7> kWeekdays = {"monday", "tuesday",  "wednesday", "thursday",
                                                       "friday", "saturday", "sunday"};
constexpr unsigned kEveryDay = 0x7f, kWorkdays = 0x1f, kWeekend = 0x60;

tm local(int64_t wall_ms) {
  // Before 1970 the division would round the wrong way; no clock of ours shows that.
  const time_t seconds = static_cast<time_t>(wall_ms / 1000);
  tm result{};
  localtime_r(&seconds, &result);
  return result;
}

std::optional<int> weekday_named(std::string_view name) {
  for (size_t i = 0; i < kWeekdays.size(); ++i) {
    if (kWeekdays[i] == name) return static_cast<int>(i);
  }
  return std::nullopt;
}

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

int64_t seconds_at(Date date, ClockTime time, int is_summer) {
  tm wanted{};
  wanted.tm_year = static_cast<int>(date.year()) - 1900;
  wanted.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  wanted.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
  wanted.tm_hour = time.hour;
  wanted.tm_min = time.minute;
  wanted.tm_isdst = is_summer;
  return static_cast<int64_t>(mktime(&wanted));
}

bool shows(int64_t seconds, ClockTime time) {
  const tm shown = local(seconds * 1000);
  return shown.tm_hour == time.hour && shown.tm_min == time.minute;
}

}  // namespace

Date date_of(int64_t wall_ms) {
  const tm now = local(wall_ms);
  return chr::year(now.tm_year + 1900) / (now.tm_mon + 1) / now.tm_mday;
}

std::string time_of(int64_t wall_ms) {
  const tm now = local(wall_ms);
  char text[16];
  std::snprintf(text, sizeof text, "%02d:%02d", now.tm_hour, now.tm_min);
  return text;
}

std::string date_text(Date date) {
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits(text.substr(0, 4));
  const auto month = digits(text.substr(5, 2));
  const auto day = digits(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const Date date = chr::year(*year) / *month / *day;
  return date.ok() ? std::optional(date) : std::nullopt;
}

Date plus_days(Date date, int days) { return chr::sys_days(date) + chr::days(days); }

int weekday_of(Date date) { return static_cast<int>(chr::weekday(chr::sys_days(date)).iso_encoding()) - 1; }

std::optional<ClockTime> parse_time(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = digits(text.substr(0, 2));
  const auto minute = digits(text.substr(3, 2));
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return ClockTime{*hour, *minute};
}

int64_t instant_ms(Date date, ClockTime time) {
  for (const int is_summer : {1, 0}) {  // an hour that comes twice: the one of summer time is the first
    const int64_t seconds = seconds_at(date, time, is_summer);
    if (shows(seconds, time)) return seconds * 1000;
  }
  // The hour is skipped: the first minute after it that exists.
  for (int minute = time.hour * 60 + time.minute + 1; minute < 24 * 60; ++minute) {
    const ClockTime later{minute / 60, minute % 60};
    const int64_t seconds = seconds_at(date, later, -1);
    if (shows(seconds, later)) return seconds * 1000;
  }
  return instant_ms(plus_days(date, 1), {0, 0});
}

std::optional<Date> day_named(std::string_view day, Date today) {
  if (day == "today") return today;
  if (day == "tomorrow") return plus_days(today, 1);
  if (day == "day_after_tomorrow") return plus_days(today, 2);
  if (const auto weekday = weekday_named(day))
    return plus_days(today, (*weekday - weekday_of(today) + 7) % 7);
  constexpr std::string_view kNext = "next_";
  if (!day.starts_with(kNext)) return std::nullopt;
  const auto weekday = weekday_named(day.substr(kNext.size()));
  if (!weekday) return std::nullopt;
  return plus_days(today, 7 - weekday_of(today) + *weekday);
}

std::optional<Days> days_named(std::string_view day, Date today) {
  const int weekday = weekday_of(today);
  if (day == "weekend") {
    const Date saturday = weekday == 6 ? today : plus_days(today, 5 - weekday);
    return Days{weekday == 6 ? today : saturday, plus_days(today, 6 - weekday)};
  }
  if (day == "this_week") return Days{today, plus_days(today, 6 - weekday)};
  if (day == "next_week") return Days{plus_days(today, 7 - weekday), plus_days(today, 13 - weekday)};
  const auto one = day_named(day, today);
  return one ? std::optional(Days{*one, *one}) : std::nullopt;
}

unsigned weekdays_of(std::string_view repeat, std::optional<int> weekday) {
  if (repeat == "daily") return kEveryDay;
  if (repeat == "weekdays") return kWorkdays;
  if (repeat == "weekends") return kWeekend;
  if (repeat == "weekly" && weekday) return 1u << *weekday;
  return 0;
}

int64_t next_repeat_ms(ClockTime time, unsigned weekdays, int64_t after_ms) {
  const Date today = date_of(after_ms);
  for (int ahead = 0; ahead <= 7; ++ahead) {
    const Date date = plus_days(today, ahead);
    if ((weekdays >> weekday_of(date) & 1) == 0) continue;
    const int64_t due = instant_ms(date, time);
    if (due > after_ms) return due;
  }
  return instant_ms(plus_days(today, 8), time);  // only for no weekdays at all
}

std::optional<int64_t> next_instant_ms(ClockTime time, std::string_view day, int64_t now_ms) {
  if (day.empty()) return next_repeat_ms(time, kEveryDay, now_ms);
  const Date today = date_of(now_ms);
  auto date = day_named(day, today);
  if (!date) return std::nullopt;
  // "Friday at seven", said on a Friday at eight, is a week from now; "today at seven" is over.
  if (weekday_named(day) && *date == today && instant_ms(*date, time) <= now_ms) date = plus_days(*date, 7);
  const int64_t due = instant_ms(*date, time);
  return due > now_ms ? std::optional(due) : std::nullopt;
}

std::string spoken_day(Date date, Date today) {
  if (date == today) return "today";
  if (date == plus_days(today, 1)) return "tomorrow";
  if (date == plus_days(today, 2)) return "day_after_tomorrow";
  return date_text(date);
}

}  // namespace ink::assistant
