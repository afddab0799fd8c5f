// Days and hours as people mean them, in time zones with and without summer time.
#include "services/assistant/time/calendar.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace ink::assistant {
namespace {

namespace chr = std::chrono;

constexpr Date kTuesday = chr::year(2026) / 11 / 24;

void live_in(const char* zone) {
  ::setenv("TZ", zone, 1);
  ::tzset();
}

std::string shown(int64_t ms) { return date_text(date_of(ms)) + " " + time_of(ms); }

TEST(AssistantCalendar, DaysOfTheCatalogue) {
  const auto day = [](const char* name) {
    const auto date = day_named(name, kTuesday);
    return date ? date_text(*date) : "none";
  };
  EXPECT_EQ(day("today"), "2026-11-24");
  EXPECT_EQ(day("tomorrow"), "2026-11-25");
  EXPECT_EQ(day("day_after_tomorrow"), "2026-11-26");
  EXPECT_EQ(day("tuesday"), "2026-11-24");
  EXPECT_EQ(day("monday"), "2026-11-30");
  EXPECT_EQ(day("friday"), "2026-11-27");
  EXPECT_EQ(day("next_monday"), "2026-11-30");
  EXPECT_EQ(day("next_tuesday"), "2026-12-01");
  EXPECT_EQ(day("next_sunday"), "2026-12-06");
  EXPECT_EQ(day(""), "none");
  EXPECT_EQ(day("next_"), "none");
  EXPECT_EQ(day("someday"), "none");
}

TEST(AssistantCalendar, WeeksAndWeekends) {
  const auto days = [](const char* name, Date today) {
    const auto found = days_named(name, today);
    return found ? date_text(found->first) + " " + date_text(found->last) : "none";
  };
  EXPECT_EQ(days("weekend", kTuesday), "2026-11-28 2026-11-29");
  EXPECT_EQ(days("weekend", chr::year(2026) / 11 / 28), "2026-11-28 2026-11-29");
  EXPECT_EQ(days("weekend", chr::year(2026) / 11 / 29), "2026-11-29 2026-11-29");
  EXPECT_EQ(days("this_week", kTuesday), "2026-11-24 2026-11-29");
  EXPECT_EQ(days("next_week", kTuesday), "2026-11-30 2026-12-06");
  EXPECT_EQ(days("friday", kTuesday), "2026-11-27 2026-11-27");
  EXPECT_EQ(days("whenever", kTuesday), "none");
}

TEST(AssistantCalendar, TheNextTimeTheClockShowsIt) {
  live_in("Asia/Hong_Kong");
  const int64_t now = instant_ms(kTuesday, {10, 0});
  EXPECT_EQ(shown(*next_instant_ms({10, 1}, "", now)), "2026-11-24 10:01");
  EXPECT_EQ(shown(*next_instant_ms({10, 0}, "", now)), "2026-11-25 10:00");
  EXPECT_EQ(shown(*next_instant_ms({7, 0}, "tuesday", now)), "2026-12-01 07:00");
  EXPECT_EQ(shown(*next_instant_ms({11, 0}, "tuesday", now)), "2026-11-24 11:00");
  EXPECT_FALSE(next_instant_ms({7, 0}, "today", now));
  EXPECT_EQ(shown(next_repeat_ms({7, 0}, weekdays_of("weekdays", {}), now)), "2026-11-25 07:00");
  EXPECT_EQ(shown(next_repeat_ms({7, 0}, weekdays_of("weekends", {}), now)), "2026-11-28 07:00");
  EXPECT_EQ(shown(next_repeat_ms({7, 0}, weekdays_of("weekly", 1), now)), "2026-12-01 07:00");
  EXPECT_EQ(weekdays_of("weekly", {}), 0U);
  EXPECT_EQ(weekdays_of("", {}), 0U);
}

TEST(AssistantCalendar, TheHourThatIsSkippedAndTheOneThatComesTwice) {
  live_in("Europe/Berlin");
  // 29 March 2026: 02:00 becomes 03:00.
  EXPECT_EQ(shown(instant_ms(chr::year(2026) / 3 / 29, {2, 30})), "2026-03-29 03:00");
  EXPECT_EQ(shown(instant_ms(chr::year(2026) / 3 / 29, {1, 59})), "2026-03-29 01:59");
  // A daily alarm keeps its time over it, and comes back to it on the next day.
  const int64_t before = instant_ms(chr::year(2026) / 3 / 28, {2, 30});
  const int64_t skipped = next_repeat_ms({2, 30}, 0x7f, before);
  EXPECT_EQ(shown(skipped), "2026-03-29 03:00");
  EXPECT_EQ(shown(next_repeat_ms({2, 30}, 0x7f, skipped)), "2026-03-30 02:30");
  // A day of 23 hours is still one day.
  EXPECT_EQ(instant_ms(chr::year(2026) / 3 / 30, {7, 0}) - instant_ms(chr::year(2026) / 3 / 29, {7, 0}),
            24 * 3600'000);
  EXPECT_EQ(instant_ms(chr::year(2026) / 3 / 29, {7, 0}) - instant_ms(chr::year(2026) / 3 / 28, {7, 0}),
            23 * 3600'000);
  // 25 October 2026: 03:00 becomes 02:00. The first 02:30 counts, and only that one.
  const int64_t first = instant_ms(chr::year(2026) / 10 / 25, {2, 30});
  EXPECT_EQ(first - instant_ms(chr::year(2026) / 10 / 25, {1, 30}), 3600'000);
  EXPECT_EQ(shown(next_repeat_ms({2, 30}, 0x7f, first)), "2026-10-26 02:30");
  // Midnight itself is skipped in some places.
  live_in("Asia/Beirut");  // 29 March 2026: 00:00 becomes 01:00
  EXPECT_EQ(shown(instant_ms(chr::year(2026) / 3 / 29, {0, 0})), "2026-03-29 01:00");
  live_in("UTC");
  EXPECT_EQ(instant_ms(chr::year(1970) / 1 / 2, {0, 0}), 86400'000);
}

TEST(AssistantCalendar, TextsThatAreNoTimesAreNone) {
  for (const char* text : {"", "7:30", "24:00", "12:60", "aa:bb", "12-30", "012:3"})
    EXPECT_FALSE(parse_time(text)) << text;
  for (const char* text : {"", "2026-13-01", "2026-02-30", "2026/01/01", "26-01-01"})
    EXPECT_FALSE(parse_date(text)) << text;
  EXPECT_EQ(parse_date("2024-02-29"), chr::year(2024) / 2 / 29);
  EXPECT_EQ(spoken_day(plus_days(kTuesday, 2), kTuesday), "day_after_tomorrow");
  EXPECT_EQ(spoken_day(plus_days(kTuesday, 3), kTuesday), "2026-11-27");
}

}  // namespace
}  // namespace ink::assistant
