// See base/memory.h.
#include "base/memory.h"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace ink {
namespace {

// A line of /proc/meminfo, such as "MemAvailable: 8123 kB".
uint64_t meminfo_bytes(const char* format) {
  uint64_t bytes = UINT64_MAX;
  std::FILE* file = std::fopen("/proc/meminfo", "re");
  if (file == nullptr) return bytes;
  char line[256];
  unsigned long long kib = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, format, &kib) == 1) bytes = uint64_t{kib} * 1024;
  }
  std::fclose(file);
  return bytes;
}

std::optional<uint64_t> read_number(const char* path) {
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return std::nullopt;
  unsigned long long value = 0;
  const bool found = std::fscanf(file, "%llu", &value) == 1;  // "max" is none
  std::fclose(file);
  return found ? std::optional<uint64_t>(value) : std::nullopt;
}

constexpr const char* kCgroupLimit = "/sys/fs/cgroup/memory.max";

}  // namespace

uint64_t available_memory_bytes() {
  const uint64_t available = meminfo_bytes("MemAvailable: %llu kB");
  const auto limit = read_number(kCgroupLimit);
  const auto used = read_number("/sys/fs/cgroup/memory.current");
  if (!limit || !used) return available;
  return std::min(available, *limit > *used ? *limit - *used : 0);
}

uint64_t total_memory_bytes() {
  return std::min(meminfo_bytes("MemTotal: %llu kB"), read_number(kCgroupLimit).value_or(UINT64_MAX));
}

std::string megabytes_text(uint64_t bytes) {
  return std::to_string(bytes / 1'000'000 + (bytes % 1'000'000 != 0 ? 1 : 0)) + " MB";
}

}  // namespace ink
