// The code books of the IQ formats: a code in a block stands for a whole row of 8 (or 4) weights. They are
// facts of the file format, expanded by the compiler, so that there is nothing to initialize and nothing to
// lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ink {

template <size_t kRows, size_t kWeights>
using Grid = std::array<std::array<int8_t, kWeights>, kRows>;

extern const Grid<256, 8> kGridIq2Xxs;  // magnitudes 8, 25, 43; signs are stored apart
extern const Grid<512, 8> kGridIq2Xs;   // the same
extern const Grid<1024, 8> kGridIq2S;   // the same
extern const Grid<256, 4> kGridIq3Xxs;  // magnitudes 4, 12, …, 52, 62
extern const Grid<512, 4> kGridIq3S;    // magnitudes 1, 3, …, 15
extern const Grid<2048, 8> kGridIq1;    // -8, 0, 8: eighths of the format's -1, 0, 1 (see decode_iq1_s)

}  // namespace ink
