// See cli/machine.h.
#include "cli/machine.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

namespace ink::cli {
namespace {

namespace fs = std::filesystem;

std::optional<uint64_t> read_number(const fs::path& path) {
  std::ifstream file(path);
  uint64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

// The rest of the first line that begins with `key` and a colon.
std::string line_after(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const size_t start = line.find_first_not_of(" \t", line.find(':') + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

std::string processor_name() {
  const std::string name = line_after("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown" : name;
}

uint64_t peak_memory_bytes() {
  const std::string text = line_after("/proc/self/status", "VmHWM");  // "123456 kB"
  return text.empty() ? 0 : 1024 * std::strtoull(text.c_str(), nullptr, 10);
}

EnergyMeter::EnergyMeter(const fs::path& powercap) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(powercap, error)) {
    // Packages only: "intel-rapl:0" (AMD's are called so too); "intel-rapl:0:1" is a part of it.
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("intel-rapl:") || std::count(name.begin(), name.end(), ':') != 1) continue;
    const auto now = read_number(entry.path() / "energy_uj");
    const auto range = read_number(entry.path() / "max_energy_range_uj");
    if (now && range) packages_.push_back({entry.path() / "energy_uj", *range, *now});
  }
}

std::optional<double> EnergyMeter::take() {
  if (packages_.empty()) return std::nullopt;
  uint64_t used = 0;
  for (auto& package : packages_) {
    const auto now = read_number(package.counter);
    if (!now) return std::nullopt;
    used += *now >= package.last ? *now - package.last : package.range - package.last + *now;
    package.last = *now;
  }
  return 1e-6 * static_cast<double>(used);
}

std::optional<double> EnergyTotal::read() {
  const std::lock_guard lock(mutex_);
  const auto more = meter_.take();
  joules_ = joules_ && more ? std::optional(*joules_ + *more) : std::nullopt;
  return joules_;
}

LoadMeter::LoadMeter(fs::path stat, double shortest_s)
    : stat_(std::move(stat)), shortest_s_(shortest_s), last_(read()) {}

std::optional<LoadMeter::Reading> LoadMeter::read() const {
  std::ifstream file(stat_);
  std::string word;
  file >> word;
  // user nice system idle iowait irq softirq steal
  uint64_t ticks[8] = {};
  for (auto& value : ticks) file >> value;
  if (!file || word != "cpu") return std::nullopt;
  const uint64_t busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
  rusage own = {};
  ::getrusage(RUSAGE_SELF, &own);
  Reading reading;
  reading.busy_s = static_cast<double>(busy) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  reading.own_s = seconds_of(own.ru_utime) + seconds_of(own.ru_stime);
  reading.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  return reading;
}

std::optional<double> LoadMeter::take() {
  const auto before = last_;
  last_ = read();
  if (!before || !last_) return std::nullopt;
  const double wall_s = last_->wall_s - before->wall_s;
  if (wall_s <= 0 || wall_s < shortest_s_) return std::nullopt;
  const double others_s = (last_->busy_s - before->busy_s) - (last_->own_s - before->own_s);
  return std::max(0.0, others_s / wall_s);
}

}  // namespace ink::cli
