// What the kernel tests share: random numbers, the tables to test, and comparison of bits.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "kernels/kernel_table.h"

namespace ink::testing {

inline std::span<const KernelTable* const> all_tables() {
  const KernelTables& tables = available_kernel_tables();
  return {tables.table, static_cast<size_t>(tables.count)};
}

inline size_t index(int64_t i) { return static_cast<size_t>(i); }

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}

  int integer(int low, int high) {
    return low + static_cast<int>(engine_() % static_cast<uint32_t>(high - low + 1));
  }
  float normal() { return normal_(engine_); }
  std::vector<float> normals(int64_t count, float deviation = 1.0f) {
    std::vector<float> values(index(count));
    for (float& value : values) value = deviation * normal();
    return values;
  }

 private:
  std::mt19937 engine_;
  std::normal_distribution<float> normal_;
};

// Bit-equal, where any NaN equals any other.
inline ::testing::AssertionResult same_floats(std::span<const float> got, std::span<const float> wanted) {
  if (got.size() != wanted.size()) return ::testing::AssertionFailure() << "sizes differ";
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(wanted[i])) continue;
    if (std::bit_cast<uint32_t>(got[i]) != std::bit_cast<uint32_t>(wanted[i]))
      return ::testing::AssertionFailure() << "at " << i << ": got " << got[i] << ", wanted " << wanted[i];
  }
  return ::testing::AssertionSuccess();
}

// |got - wanted| <= allowed, everywhere; a NaN is never close.
inline ::testing::AssertionResult close_floats(std::span<const float> got, std::span<const double> wanted,
                                               std::span<const double> allowed) {
  for (size_t i = 0; i < got.size(); ++i) {
    if (!(std::abs(static_cast<double>(got[i]) - wanted[i]) <= allowed[i]))
      return ::testing::AssertionFailure()
             << "at " << i << ": got " << got[i] << ", wanted " << wanted[i] << " +- " << allowed[i];
  }
  return ::testing::AssertionSuccess();
}

}  // namespace ink::testing
