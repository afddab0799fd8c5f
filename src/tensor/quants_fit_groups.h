// Inside the searching quantizers: the best scale, or scale and minimum, for one group of weights, whatever
// the format around it. Both searches go the same way: from several starting scales they take turns. The
// nearest codes for a scale; then the scale (and minimum) that fits these codes best, a least-squares problem
// with a closed form. The best of everything tried is kept.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "tensor/quants_blocks.h"

namespace ink::fit {

// Four neighbouring weights of a group. GCC and Clang compile these for any processor; left to themselves
// they do not vectorize sums of floats, whose order is part of the result.
using Lanes = float __attribute__((vector_size(16)));
inline constexpr int kLanes = 4;

inline Lanes load(const float* x) {
  Lanes lanes;
  std::memcpy(&lanes, x, sizeof lanes);
  return lanes;
}
inline Lanes all(float value) { return Lanes{value, value, value, value}; }
inline float total(Lanes lanes) { return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]); }

// t kept inside lowest .. highest; the lowest for NaN.
inline Lanes bounded(Lanes t, float lowest, float highest) {
  t = t > all(lowest) ? t : all(lowest);
  return t < all(highest) ? t : all(highest);
}

// The nearest whole number in lowest .. highest.
inline Lanes nearest_whole(Lanes t, float lowest, float highest) {
  const Lanes round = all(12582912.0f);  // 1.5 * 2^23: beside it a float has no fraction
  return bounded(t, lowest, highest) + round - round;
}

// The levels of a format: lowest and highest level, what a scale is tried with first (the farthest value
// comes to lie at the lowest or highest level times each of these), and the nearest level for a value.
template <int kLowestLevel, int kHighestLevel>
struct WholeLevels {
  static constexpr float kLowest = kLowestLevel;
  static constexpr float kHighest = kHighestLevel;
  static constexpr auto kStarts = [] {
    if constexpr (kHighestLevel - kLowestLevel > 40)
      return std::array{1.0f, 0.985f, 1.015f};
    else
      return std::array{0.9f, 0.96f, 1.0f, 1.07f, 1.15f};
  }();
  static Lanes nearest(Lanes t) { return nearest_whole(t, kLowest, kHighest); }
};

struct UnevenLevels {
  static constexpr float kLowest = blocks::kLevelsIq4[0];
  static constexpr float kHighest = blocks::kLevelsIq4[15];
  static constexpr std::array kStarts = {0.9f, 0.96f, 1.0f, 1.07f, 1.15f};
  // Levels are whole, so what is nearest changes at whole and half numbers only: a table by halves.
  static constexpr auto kCodes = [] {
    std::array<uint8_t, 512> codes{};
    for (int halves = 0; halves < 512; ++halves) {
      int code = 0;
      // The upper one of two neighbours is nearer above their middle.
      while (code < 15 && halves - 256 >= blocks::kLevelsIq4[code] + blocks::kLevelsIq4[code + 1]) ++code;
      codes[static_cast<size_t>(halves)] = static_cast<uint8_t>(code);
    }
    return codes;
  }();
  static uint8_t code(float level_or_near) {  // inside the bounds
    return kCodes[static_cast<size_t>(2.0f * level_or_near + 256.0f)];
  }
  static Lanes nearest(Lanes t) {
    t = bounded(t, kLowest, kHighest);
    for (int k = 0; k < kLanes; ++k) t[k] = static_cast<float>(blocks::kLevelsIq4[code(t[k])]);
    return t;
  }
};

inline float inverse_of(float scale) {
  const float inverse = 1.0f / scale;
  return std::isfinite(inverse) ? inverse : 0.0f;
}

// A number as the file will hold it; kept finite.
inline float stored_half(float value) {
  constexpr float kLargest = 65504.0f;
  return f16_to_f32(f32_to_f16(value > -kLargest ? (value < kLargest ? value : kLargest) : -kLargest));
}

// The value that is farthest from 0, with its sign.
inline float farthest(const float* x, int count) {
  float found = x[0];
  for (int i = 1; i < count; ++i) found = std::abs(x[i]) > std::abs(found) ? x[i] : found;
  return found;
}

// weight = scale * level. The error, and the sums of the least-squares problem for the codes that came out.
struct ScaleSums {
  float error;        // sum of w (x - scale level)^2
  float value_level;  // sum of w x level
  float level_level;  // sum of w level^2
};

template <typename Levels>
ScaleSums measure_scale(const float* x, const float* w, int count, float scale) {
  const Lanes scales = all(scale), inverse = all(inverse_of(scale));
  Lanes error{}, value_level{}, level_level{};
  for (int i = 0; i < count; i += kLanes) {
    const Lanes value = load(x + i), weight = load(w + i);
    const Lanes level = Levels::nearest(value * inverse);
    const Lanes difference = value - scales * level;
    error += weight * difference * difference;
    value_level += weight * value * level;
    level_level += weight * level * level;
  }
  return {total(error), total(value_level), total(level_level)};
}

// The levels themselves.
template <typename Levels>
void take_levels(const float* x, int count, float scale, float* levels) {
  const Lanes inverse = all(inverse_of(scale));
  for (int i = 0; i < count; i += kLanes) {
    const Lanes level = Levels::nearest(load(x + i) * inverse);
    std::memcpy(levels + i, &level, sizeof level);
  }
}

struct ScaleFit {
  float scale = 0.0f;
  float error = 0.0f;
};

// as_half: only scales that fit into f16 are tried, because the group's scale is stored as it is.
template <typename Levels>
ScaleFit fit_scale(const float* x, const float* w, int count, bool as_half) {
  constexpr int kTurns = 3;
  const float extreme = farthest(x, count);
  ScaleFit best{0.0f, measure_scale<Levels>(x, w, count, 0.0f).error};
  for (const float anchor : {Levels::kLowest, Levels::kHighest}) {
    for (const float start : Levels::kStarts) {
      float scale = extreme / (anchor * start);
      for (int turn = 0; turn < kTurns; ++turn) {
        if (as_half) scale = stored_half(scale);
        const ScaleSums sums = measure_scale<Levels>(x, w, count, scale);
        if (sums.error < best.error) best = {scale, sums.error};
        if (!(sums.level_level > 0.0f)) break;
        const float next = sums.value_level / sums.level_level;
        if (next == scale) break;
        scale = next;
      }
    }
  }
  return best;
}

// weight = scale * code - minimum, with codes 0 .. top.
struct AffineSums {
  float error = 0.0f;
  double value = 0, code = 0, code_code = 0, value_code = 0;  // sums of w x, w code, w code^2, w x code
};

AffineSums measure_affine(const float* x, const float* w, int count, float top, float scale, float minimum);
void take_codes(const float* x, int count, float top, float scale, float minimum, uint8_t* codes);

struct AffineFit {
  float scale = 0.0f;
  float minimum = 0.0f;
  float error = 0.0f;
};

// The scale and minimum that fit the codes behind the sums best; all zeros when nothing is determined.
// any_sign: whether the minimum may be negative. In the K formats it cannot.
AffineFit solve_affine(const AffineSums& sums, double weight, bool any_sign);

// as_half as in fit_scale; formats with a stored minimum of its own take either sign of it.
AffineFit fit_affine(const float* x, const float* w, int count, float top, bool as_half);

}  // namespace ink::fit
