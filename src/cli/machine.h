// What the system tells about the machine while something is measured: energy, load by others, memory. What
// it does not tell stays empty; nothing is estimated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ink::cli {

// The "model name" in /proc/cpuinfo; "unknown" where there is none.
std::string processor_name();

// The most memory this process has held at once; 0 where the system does not say.
uint64_t peak_memory_bytes();

// Energy counters of the processor packages (RAPL), which usually only root may read.
class EnergyMeter {
 public:
  explicit EnergyMeter(const std::filesystem::path& powercap = "/sys/class/powercap");
  // Joules since the last call, or since the meter was made; nothing where no counter can be read.
  std::optional<double> take();

 private:
  struct Package {
    std::filesystem::path counter;
    uint64_t range;  // the counter starts again at 0 above this, in microjoules
    uint64_t last;
  };
  std::vector<Package> packages_;
};

// The energy used since it was made, for several threads. A counter starts again at 0 after as little as 65
// kJ, which 300 W use in less than four minutes: somebody has to read it every minute, or a round is missed.
class EnergyTotal {
 public:
  explicit EnergyTotal(const std::filesystem::path& powercap = "/sys/class/powercap") : meter_(powercap) {}
  // Joules; nothing where no counter can be read, and from then on, for a part would be missing.
  std::optional<double> read();

 private:
  std::mutex mutex_;
  EnergyMeter meter_;
  std::optional<double> joules_ = 0;
};

// How many processors others kept busy: all of /proc/stat that is not idle (what a hypervisor took away
// counts too), less what this process used.
class LoadMeter {
 public:
  // The system counts in hundredths of a second: over less than `shortest_s` nothing can be told.
  explicit LoadMeter(std::filesystem::path stat = "/proc/stat", double shortest_s = 0.1);
  // The mean since the last call, or since the meter was made; nothing when that was too short a time ago or
  // the system does not say.
  std::optional<double> take();

 private:
  struct Reading {
    double busy_s = 0;  // of all processors
    double own_s = 0;
    double wall_s = 0;
  };
  std::optional<Reading> read() const;
  std::filesystem::path stat_;
  double shortest_s_;
  std::optional<Reading> last_;
};

}  // namespace ink::cli
