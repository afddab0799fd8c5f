// See services/assistant/time/clock.h.
#include "services/assistant/time/clock.h"

#include <ctime>
#include <fstream>

namespace ink::assistant {
namespace {

int64_t read_ms(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

int64_t SystemClock::wall_ms() const { return read_ms(CLOCK_REALTIME); }
int64_t SystemClock::boot_ms() const { return read_ms(CLOCK_BOOTTIME); }

std::string SystemClock::boot_id() const {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

}  // namespace ink::assistant
