// Searching encoders of the blocks of 256 weights: groups with small whole scales (and minima) under one f16
// scale d (and one f16 dmin). First every group is fitted alone; then the whole scales and d are fitted to
// each other, again in turns: the best whole scales for a d, then the least-squares d for all codes of the
// block. The error that decides is always that of the stored numbers.
#include "tensor/quants_blocks.h"
#include "tensor/quants_fit_blocks.h"
#include "tensor/quants_fit_groups.h"

namespace ink::fit {
namespace {

using blocks::store_half;

constexpr int kBlock = 256;
constexpr int kTurns = 2;

// The nearest whole number in lowest .. highest; the lowest for NaN.
float whole_in(float t, int lowest, int highest) {
  return nearest_whole(all(t), static_cast<float>(lowest), static_cast<float>(highest))[0];
}

// Q6_K, IQ4_XS: weight = d * scale * level.
template <int kGroups>
struct ScaledBlock {
  float d = 0.0f;
  float error = INFINITY;
  float scales[kGroups] = {};  // whole numbers
};

template <typename Levels, int kGroups>
class ScaleSearch {
 public:
  ScaleSearch(const float* values, const float* weights, int lowest_scale, int highest_scale)
      : values_(values), weights_(weights), lowest_scale_(lowest_scale), highest_scale_(highest_scale) {}

  ScaledBlock<kGroups> run() {
    float largest = 0.0f;
    for (int g = 0; g < kGroups; ++g) {
      ideal_[g] = fit_scale<Levels>(values_ + g * kSize, weights_ + g * kSize, kSize, false).scale;
      if (std::abs(ideal_[g]) > std::abs(largest)) largest = ideal_[g];
    }
    // The largest scale becomes one of the last whole numbers at either end.
    for (const int anchor : {lowest_scale_, lowest_scale_ + 1, highest_scale_, highest_scale_ - 1}) {
      float d = stored_half(largest / static_cast<float>(anchor));
      for (int turn = 0; turn < kTurns && d != 0.0f; ++turn) d = try_d(d);
    }
    if (best_.error == INFINITY) best_.error = 0.0f;  // d is 0: so is everything
    return best_;
  }

 private:
  static constexpr int kSize = kBlock / kGroups;

  // Chooses the whole scales under d; returns the d that fits all codes best.
  float try_d(float d) {
    ScaledBlock<kGroups> tried;
    tried.d = d;
    tried.error = 0.0f;
    double value_level = 0, level_level = 0;
    for (int g = 0; g < kGroups; ++g) {
      const float* x = values_ + g * kSize;
      const float* w = weights_ + g * kSize;
      const float exact = ideal_[g] / d;
      const float below = whole_in(std::floor(exact), lowest_scale_, highest_scale_);
      ScaleSums best{INFINITY, 0.0f, 0.0f};
      for (const float scale : {below, whole_in(below + 1.0f, lowest_scale_, highest_scale_)}) {
        const ScaleSums sums = measure_scale<Levels>(x, w, kSize, d * scale);
        if (!(sums.error < best.error)) continue;
        best = sums;
        tried.scales[g] = scale;
      }
      const double scale = tried.scales[g];
      tried.error += best.error;
      value_level += scale * static_cast<double>(best.value_level);
      level_level += scale * scale * static_cast<double>(best.level_level);
    }
    if (tried.error < best_.error) best_ = tried;
    return level_level > 0 ? stored_half(static_cast<float>(value_level / level_level)) : 0.0f;
  }

  const float* values_;
  const float* weights_;
  int lowest_scale_;
  int highest_scale_;
  float ideal_[kGroups] = {};
  ScaledBlock<kGroups> best_;
};

// Q4_K, Q5_K: weight = d * scale * code - dmin * minimum, in eight groups of 32.
constexpr int kGroups = 8;
constexpr int kSize = kBlock / kGroups;
constexpr int kTopScale = 63;  // six bits for a scale and a minimum

struct AffineBlock {
  float d = 0.0f;
  float dmin = 0.0f;
  float error = INFINITY;
  float scales[kGroups] = {};  // whole numbers
  float minima[kGroups] = {};
};

class AffineSearch {
 public:
  AffineSearch(const float* values, const float* weights, float top)
      : values_(values), weights_(weights), top_(top) {}

  AffineBlock run() {
    float largest_scale = 0.0f, largest_minimum = 0.0f;
    for (int g = 0; g < kGroups; ++g) {
      ideal_[g] = fit_affine(values_ + g * kSize, weights_ + g * kSize, kSize, top_, false);
      largest_scale = std::max(largest_scale, ideal_[g].scale);
      largest_minimum = std::max(largest_minimum, ideal_[g].minimum);
      for (int i = 0; i < kSize; ++i) weight_[g] += weights_[g * kSize + i];
    }
    constexpr float kAnchors[] = {63.0f, 61.0f, 58.0f};
    for (const float anchor : kAnchors) {
      Halves halves{stored_half(largest_scale / anchor), stored_half(largest_minimum / anchor)};
      for (int turn = 0; turn < kTurns; ++turn) halves = try_halves(halves);
    }
    return best_;
  }

 private:
  struct Halves {
    float d, dmin;
  };
  struct Choice {
    float scale = 0.0f, minimum = 0.0f;
    AffineSums sums;
  };

  // The best whole scale and minimum of one group. The minimum follows from the scale: the best one for the
  // codes that come out.
  Choice choose(int g, const Halves& halves) const {
    const float* x = values_ + g * kSize;
    const float* w = weights_ + g * kSize;
    const float inverse_d = inverse_of(halves.d), inverse_dmin = inverse_of(halves.dmin);
    const float below = whole_in(std::floor(ideal_[g].scale * inverse_d), 0, kTopScale);
    Choice best;
    best.sums.error = INFINITY;
    for (const float scale : {below, whole_in(below + 1.0f, 0, kTopScale)}) {
      float minimum = whole_in(ideal_[g].minimum * inverse_dmin, 0, kTopScale);
      for (int turn = 0; turn < kTurns; ++turn) {
        const AffineSums sums = measure_affine(x, w, kSize, top_, halves.d * scale, halves.dmin * minimum);
        if (sums.error < best.sums.error) best = {scale, minimum, sums};
        if (!(weight_[g] > 0)) break;
        const double exact = (static_cast<double>(halves.d * scale) * sums.code - sums.value) / weight_[g];
        const float next = whole_in(static_cast<float>(exact) * inverse_dmin, 0, kTopScale);
        if (next == minimum) break;
        minimum = next;
      }
    }
    return best;
  }

  // Chooses the whole numbers under d and dmin; returns the pair that fits all codes best.
  Halves try_halves(const Halves& halves) {
    AffineBlock tried{halves.d, halves.dmin, 0.0f, {}, {}};
    double code_code = 0, code_minimum = 0, minimum_minimum = 0, value_code = 0, value_minimum = 0;
    for (int g = 0; g < kGroups; ++g) {
      const Choice choice = choose(g, halves);
      tried.scales[g] = choice.scale;
      tried.minima[g] = choice.minimum;
      tried.error += choice.sums.error;
      const double scale = choice.scale, minimum = choice.minimum;
      code_code += scale * scale * choice.sums.code_code;
      code_minimum += scale * minimum * choice.sums.code;
      minimum_minimum += minimum * minimum * weight_[g];
      value_code += scale * choice.sums.value_code;
      value_minimum += minimum * choice.sums.value;
    }
    if (tried.error < best_.error) best_ = tried;
    const double determinant = code_code * minimum_minimum - code_minimum * code_minimum;
    if (determinant > 1e-9 * code_code * minimum_minimum) {
      const double d = (value_code * minimum_minimum - value_minimum * code_minimum) / determinant;
      const double dmin = (code_minimum * value_code - code_code * value_minimum) / determinant;
      if (d > 0 && dmin >= 0)
        return {stored_half(static_cast<float>(d)), stored_half(static_cast<float>(dmin))};
    } else if (minimum_minimum == 0 && code_code > 0 && value_code > 0) {
      return {stored_half(static_cast<float>(value_code / code_code)), halves.dmin};
    }
    return halves;
  }

  const float* values_;
  const float* weights_;
  float top_;
  AffineFit ideal_[kGroups];
  double weight_[kGroups] = {};
  AffineBlock best_;
};

// 12 bytes: see scale_and_minimum in quants_decode_k.cpp.
void store_scales(const AffineBlock& found, uint8_t* packed) {
  for (int g = 0; g < 4; ++g) {
    const int scale = static_cast<int>(found.scales[g]), minimum = static_cast<int>(found.minima[g]);
    const int upper_scale = static_cast<int>(found.scales[4 + g]);
    const int upper_minimum = static_cast<int>(found.minima[4 + g]);
    packed[g] = static_cast<uint8_t>(scale | upper_scale >> 4 << 6);
    packed[4 + g] = static_cast<uint8_t>(minimum | upper_minimum >> 4 << 6);
    packed[8 + g] = static_cast<uint8_t>((upper_scale & 15) | (upper_minimum & 15) << 4);
  }
}

// Finds the block's numbers, stores d, dmin and scales, gives the codes.
void encode_grouped(const float* values, const float* weights, float top, uint8_t* block, uint8_t* codes) {
  const AffineBlock found = AffineSearch(values, weights, top).run();
  store_half(block, found.d);
  store_half(block + 2, found.dmin);
  store_scales(found, block + 4);
  for (int g = 0; g < kGroups; ++g) {
    take_codes(values + g * kSize, kSize, top, found.d * found.scales[g], found.dmin * found.minima[g],
               codes + g * kSize);
  }
}

// 128 bytes: two groups share 32 bytes, the first in the low nibbles.
void store_nibble_pairs(const uint8_t* codes, uint8_t* place) {
  for (int i = 0; i < kBlock / 2; ++i) {
    const uint8_t* pair = codes + 64 * (i / 32) + i % 32;
    place[i] = static_cast<uint8_t>((pair[0] & 15) | pair[32] << 4);
  }
}

}  // namespace

void encode_q4_k(const float* values, const float* weights, uint8_t* block) {
  uint8_t codes[kBlock];
  encode_grouped(values, weights, 15.0f, block, codes);
  store_nibble_pairs(codes, block + 16);
}

void encode_q5_k(const float* values, const float* weights, uint8_t* block) {
  uint8_t codes[kBlock];
  encode_grouped(values, weights, 31.0f, block, codes);
  std::fill_n(block + 16, 32, uint8_t{0});
  for (int i = 0; i < kBlock; ++i) {
    uint8_t& fifth = block[16 + i % 32];
    fifth = static_cast<uint8_t>(fifth | (codes[i] >> 4) << (i / 32));
  }
  store_nibble_pairs(codes, block + 48);
}

void encode_q6_k(const float* values, const float* weights, uint8_t* block) {
  using Levels = WholeLevels<-32, 31>;
  const auto found = ScaleSearch<Levels, 16>(values, weights, -128, 127).run();
  float levels[kBlock];
  for (int g = 0; g < 16; ++g)
    take_levels<Levels>(values + 16 * g, 16, found.d * found.scales[g], levels + 16 * g);
  uint8_t codes[kBlock];
  for (int i = 0; i < kBlock; ++i) codes[i] = static_cast<uint8_t>(levels[i] - Levels::kLowest);
  for (int i = 0; i < 64; ++i) {
    const uint8_t* c = codes + 128 * (i / 32) + i % 32;  // four weights that are 32 apart
    uint8_t* nibbles = block + 64 * (i / 32) + i % 32;
    nibbles[0] = static_cast<uint8_t>((c[0] & 15) | c[64] << 4);
    nibbles[32] = static_cast<uint8_t>((c[32] & 15) | c[96] << 4);
    block[128 + i] = static_cast<uint8_t>(c[0] >> 4 | c[32] >> 4 << 2 | c[64] >> 4 << 4 | c[96] >> 4 << 6);
  }
  for (int g = 0; g < 16; ++g) block[192 + g] = static_cast<uint8_t>(static_cast<int>(found.scales[g]));
  store_half(block + 208, found.d);
}

void encode_iq4_xs(const float* values, const float* weights, uint8_t* block) {
  const auto found = ScaleSearch<UnevenLevels, 8>(values, weights, -32, 31).run();
  store_half(block, found.d);
  int high = 0;
  std::fill_n(block + 4, 4, uint8_t{0});
  for (int g = 0; g < 8; ++g) {
    const int scale = static_cast<int>(found.scales[g]) + 32;
    high |= scale >> 4 << (2 * g);
    block[4 + g / 2] = static_cast<uint8_t>(block[4 + g / 2] | (scale & 15) << (4 * (g % 2)));
    float levels[32];
    take_levels<UnevenLevels>(values + 32 * g, 32, found.d * found.scales[g], levels);
    uint8_t codes[32];
    for (int i = 0; i < 32; ++i) codes[i] = UnevenLevels::code(levels[i]);
    blocks::store_nibbles(codes, block + 8 + 16 * g);
  }
  blocks::store_u16(block + 2, static_cast<uint16_t>(high));
}

}  // namespace ink::fit
