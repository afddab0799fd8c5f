// What time it is. Two clocks: the wall clock, which people and network time set and which may jump, and the
// time since the device was started, which never does and counts sleep too. Tests bring their own.
#pragma once

#include <cstdint>
#include <string>

namespace ink::assistant {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t wall_ms() const = 0;      // since 1970, UTC
  virtual int64_t boot_ms() const = 0;      // since the device was started
  virtual std::string boot_id() const = 0;  // another one after every start
};

class SystemClock final : public Clock {
 public:
  int64_t wall_ms() const override;
  int64_t boot_ms() const override;
  std::string boot_id() const override;
};

}  // namespace ink::assistant
