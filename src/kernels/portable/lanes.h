// Sums in eight lanes: lane j adds the products of the columns j, j + 8, j + 16, … and the lanes are folded
// in one fixed tree at the end. This is the order in which a register of eight floats sums, so that a vector
// unit can follow the specification to the letter.
#pragma once

#include <cstdint>

namespace ink::portable {

inline float dot_in_lanes(const float* a, const float* b, int64_t count) {
  float lane[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int64_t j = 0; j < 8; ++j) lane[j] += a[i + j] * b[i + j];
  }
  for (int64_t j = 0; i + j < count; ++j) lane[j] += a[i + j] * b[i + j];
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

}  // namespace ink::portable
