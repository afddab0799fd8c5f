// Timers, alarms and reminders that wait, kept in the database. A timer counts elapsed time: while the device
// stays on, by the clock that never jumps, and after a restart by the wall instant that was written down.
// Alarms and reminders follow the wall clock. What is due is taken out and recorded in one step before
// anybody is told, so that it fires once, whoever looks, however often a process is killed; what fired stays
// listed for a month.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/assistant/database.h"
#include "services/assistant/time/clock.h"

namespace ink::assistant {

struct Pending {
  int64_t id = 0;
  std::string kind;               // "timer", "alarm", "reminder"
  std::string label;              // as said; may be empty
  Voice voice;                    // of the person who asked for it
  std::optional<int64_t> due_ms;  // wall clock; nothing: a reminder without a time
  int64_t remaining_ms = 0;       // until it is due
  std::string time;               // of an alarm: "07:30"
  std::string repeat;             // of an alarm; empty: once
  std::optional<int> weekday;     // of a weekly alarm
};

struct Fired {
  int64_t id = 0;  // that it waited under
  std::string kind;
  std::string label;
  Voice voice;
  int64_t due_ms = 0;
  int64_t fired_ms = 0;
  bool missed = false;  // nobody was there at its time: more than kLate ago
};

class Schedule {
 public:
  static constexpr int64_t kLateMs = 60'000;

  Schedule(std::shared_ptr<Database> database, std::shared_ptr<const Clock> clock);

  // All of them give errors of the database.
  Status add_timer(int64_t seconds, const std::string& label, const Voice& voice);
  // repeat and weekday as in calendar.h; the same alarm twice is one alarm.
  Status add_alarm(int64_t due_ms, const std::string& time, const std::string& repeat,
                   std::optional<int> weekday, const Voice& voice);
  Status add_reminder(std::optional<int64_t> due_ms, const std::string& text, const Voice& voice);

  Result<std::vector<Pending>> pending() const;      // by due instant
  Result<std::vector<Fired>> fired(int most) const;  // the latest first
  // Takes away those with these ids; gives how many there were.
  Result<int64_t> cancel(const std::vector<int64_t>& ids);

  // Takes out and records what is due; alarms that repeat get their next instant.
  Result<std::vector<Fired>> take_due();

  const Clock& clock() const { return *clock_; }

 private:
  Status add(const Json& row);
  Pending read(const Json& row) const;
  Status fire(const Pending& one, std::vector<Fired>& all);
  std::shared_ptr<Database> database_;
  std::shared_ptr<const Clock> clock_;
  std::string boot_id_;
};

}  // namespace ink::assistant
