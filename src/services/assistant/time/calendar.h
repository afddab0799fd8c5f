// Days and clock times of people, as instants. All in local time, by the system's time zone rules. Easy to
// get wrong: a day is not 24 hours when the clocks change; an hour that is skipped (02:30 in spring) is taken
// as the moment of the change, one that comes twice as the first; and "Friday" on a Friday is today only
// while the hour is still ahead.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ink::assistant {

using Date = std::chrono::year_month_day;

Date date_of(int64_t wall_ms);
std::string time_of(int64_t wall_ms);  // "19:30"
std::string date_text(Date date);      // "2026-11-24"
std::optional<Date> parse_date(std::string_view text);
Date plus_days(Date date, int days);
int weekday_of(Date date);  // 0 Monday … 6 Sunday

struct ClockTime {
  int hour = 0;
  int minute = 0;
};
std::optional<ClockTime> parse_time(std::string_view text);  // "07:05"; nothing for anything else

int64_t instant_ms(Date date, ClockTime time);

// What a day of the catalogue means, seen from `today`: today … next_sunday. Weekdays are the coming one,
// today included; next_ ones are in the week that begins next Monday. Nothing for another word.
std::optional<Date> day_named(std::string_view day, Date today);
// Also weekend, this_week (from today on) and next_week: first and last day.
struct Days {
  Date first, last;
};
std::optional<Days> days_named(std::string_view day, Date today);

// Which weekdays a repeat of the catalogue holds, as bits from Monday; weekly needs its weekday. 0: no such
// repeat.
unsigned weekdays_of(std::string_view repeat, std::optional<int> weekday);

// The next instant after `after_ms` at this time on one of these weekdays.
int64_t next_repeat_ms(ClockTime time, unsigned weekdays, int64_t after_ms);

// The instant of a clock time on a day that may not be said (then the next time the clock shows it). Nothing
// when the day is said and the time is over.
std::optional<int64_t> next_instant_ms(ClockTime time, std::string_view day, int64_t now_ms);

// A day as it is best said: "today", "tomorrow", "day_after_tomorrow", else its date.
std::string spoken_day(Date date, Date today);

}  // namespace ink::assistant
